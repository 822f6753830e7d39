import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';
import type { LogEntry } from '#shared/contract/audit.ts';
import { go } from '../../app/routes.ts';
import { localTime } from '../../lib/format.ts';
import { aboutOf } from '../../app/sentences.ts';
import { StateIcon } from '../../ui/State.tsx';
import { outcomeTone } from '../../ui/words.ts';

const lineHeight = 32;

/** Only the lines that are in view are drawn, so that a million of them cost what a hundred do. */
export function Lines({
  entries,
  chosen,
}: {
  readonly entries: readonly LogEntry[];
  readonly chosen: number | undefined;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: entries.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => lineHeight,
    overscan: 12,
  });
  return (
    <>
      <div className="line-head" aria-hidden>
        <span>Index</span>
        <span>When</span>
        <span>Who</span>
        <span>Action</span>
        <span>About</span>
      </div>
      <div className="virtual" ref={scroller} role="group" aria-label="Log entries">
        <div style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const entry = entries[index];
            if (entry === undefined) return null;
            return (
              <button
                type="button"
                className="line"
                key={entry.index}
                aria-pressed={entry.index === chosen}
                style={{ transform: `translateY(${start}px)` }}
                onClick={() => go('audit', String(entry.index))}
              >
                <span className="mono">{entry.index}</span>
                <time dateTime={entry.time} title={`${entry.time} (UTC)`}>
                  {localTime(entry.time)}
                </time>
                <span>{entry.actor}</span>
                <span className="row action">
                  <StateIcon
                    tone={outcomeTone(entry.outcome)}
                    word={entry.outcome ?? 'announced'}
                  />
                  {entry.action}
                </span>
                <span className="quiet">{entry.reason ?? aboutOf(entry)}</span>
              </button>
            );
          })}
        </div>
      </div>
    </>
  );
}
