/**
 * A contained child that does with one mutant after another what the product does with a model in a child of its own: the gate's
 * scan, the adapters, the runtime, a blank row. It answers with a verdict; a fault of the product's own code is `bug`.
 */
import { AppError } from '#shared/errors.ts';
import { rules } from '#domain/bundle/rules.ts';
import { scanAnswer } from '#domain/bundle/scan/answer.ts';
import { scanChunks } from '#domain/bundle/scan/child.ts';
import { contactModel } from '../../../electron/domain/inference/contact.ts';
import { loadModelFrom } from '../../../electron/domain/inference/runtime.ts';

export interface Mutant {
  readonly id: number;
  /** Base64. */
  readonly model: string;
  readonly runtime: 'wasm' | 'native';
}

export interface Verdict {
  readonly id: number;
  readonly verdict: 'refused' | 'not loaded' | 'trapped' | 'too large' | 'runs' | 'bug';
  /** Rule, code, or where the fault is. */
  readonly said: string;
}

process.on('message', (mutant: Mutant) => {
  void judge(mutant).then((verdict) => process.send?.({ id: mutant.id, ...verdict }));
});
process.once('disconnect', () => process.exit(0));
process.send?.('ready');

async function judge({ model, runtime }: Mutant): Promise<Omit<Verdict, 'id'>> {
  try {
    const bytes = Buffer.from(model, 'base64');
    const { findings } = scanAnswer.parse(scanChunks([bytes]));
    const stopping = findings.find(({ ruleId }) => rules[ruleId].level === 'error');
    if (stopping !== undefined) return { verdict: 'refused', said: stopping.ruleId };
    const loaded = await loadModelFrom(bytes, { runtime, threads: 1 });
    const { message } = await contactModel({ golden: null, pipeline: undefined }, loaded);
    return { verdict: 'runs', said: message };
  } catch (error) {
    return verdictOf(error);
  }
}

function verdictOf(error: unknown): Omit<Verdict, 'id'> {
  const cause = error instanceof AppError ? error.cause : error;
  if (isOurs(cause)) return { verdict: 'bug', said: cause.stack ?? cause.message };
  if (cause instanceof Error && cause.name === 'RuntimeError')
    return { verdict: 'trapped', said: cause.message };
  if (!(error instanceof AppError)) return { verdict: 'not loaded', said: 'runtime' };
  return { verdict: error.code === 'limit' ? 'too large' : 'not loaded', said: error.code };
}

/** A fault that was thrown in the product's own code, and not by it. */
function isOurs(cause: unknown): cause is Error {
  if (!(cause instanceof Error) || cause instanceof AppError) return false;
  const [first = ''] = (cause.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return /\/(electron|shared)\//.test(first) && !first.includes('node_modules');
}
