/** Which blocks of the product's code ran since the last look, from V8's own counters: no instrumentation, no dependency. */
import { Session, type Profiler } from 'node:inspector';

export interface Coverage {
  /** True if something ran that had not run before. */
  grew(): boolean;
  blocks(): number;
}

export function startCoverage(): Coverage {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const known = new Set<string>();
  return {
    blocks: () => known.size,
    grew() {
      let result: readonly Profiler.ScriptCoverage[] = [];
      // Answered before `post` returns, as the session is in this thread.
      session.post('Profiler.takePreciseCoverage', (_error, taken) => {
        result = taken.result;
      });
      const before = known.size;
      for (const { url, functions } of result) {
        if (!url.includes('/electron/domain/')) continue;
        for (const { ranges } of functions)
          for (const { startOffset, endOffset, count } of ranges)
            if (count > 0)
              known.add(
                `${url} ${startOffset} ${endOffset} ${Math.min(32 - Math.clz32(count), 4)}`,
              );
      }
      return known.size > before;
    },
  };
}
