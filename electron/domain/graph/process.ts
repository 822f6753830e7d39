/** In the core: has the outline of a model made by a contained child, which is given the bytes and nothing else. */
import { AppError } from '#shared/errors.ts';
import { childScript } from '#platform/child-script.ts';
import { startReader, type ReaderLimits } from '#platform/contained-reader.ts';
import { longestAnswer, outlineAnswer, type UnreadOutline } from './answer.ts';

const limits: ReaderLimits = {
  heapBytes: 2 * 2 ** 30,
  dataBytes: 4 * 2 ** 30,
  processorSeconds: 120,
  silenceMs: 60_000,
  answerBytes: longestAnswer,
};

/**
 * Throws `limit` for a model that is too large to look at, `corrupt` for one that does not parse, `unavailable` when the child
 * ends without an answer.
 */
export async function readOutline(
  source: AsyncIterable<Uint8Array>,
  { use, signal }: { readonly use: 'view' | 'compare'; readonly signal?: AbortSignal },
): Promise<UnreadOutline> {
  await using reader = await startReader(childScript('outliner'), limits, [use]);
  for await (const chunk of source) {
    signal?.throwIfAborted();
    await reader.write(chunk);
  }
  const ending = await reader.end();
  signal?.throwIfAborted();
  if (ending.how !== 'answered')
    throw new AppError(
      'unavailable',
      `The process that reads the graph ended without an answer. ${ending.message} The vault was not touched.`,
    );
  const answer = parseAnswer(ending.answer);
  if (!answer.ok) throw new AppError(answer.code, answer.message);
  return answer.outline;
}

function parseAnswer(bytes: Buffer): ReturnType<typeof outlineAnswer.parse> {
  try {
    return outlineAnswer.parse(JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    throw new AppError(
      'unavailable',
      'The process that reads the graph gave an answer that cannot be read. The vault was not touched.',
      { cause },
    );
  }
}
