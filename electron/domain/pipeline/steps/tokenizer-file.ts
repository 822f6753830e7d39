/** `tokenizer.json` as far as it is read here; loaded with the first one, because Zod is much for a child to load. */
import { z } from 'zod';

const tokenizerFile = z.looseObject({
  model: z.looseObject({}),
  padding: z.object({ pad_id: z.int().nonnegative().optional() }).nullish(),
});

/** Throws for bytes that are no such file. */
export function parseTokenizerFile(bytes: Uint8Array): z.infer<typeof tokenizerFile> {
  return tokenizerFile.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
}
