import type { Tokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { AppError } from '#shared/errors.ts';
import type { Draft } from '../draft.ts';
import type { TensorFeature } from '../feature.ts';
import { columnName, defineStep } from './step.ts';

/** Longer texts take the library too long. */
const maxCharacters = 100_000;

/**
 * `{ "step": "tokenize", "column": "review", "file": "tokenizer.json", "maxLength": 128, "padding": "max" }`: in the place of the column the
 * tensors `input_ids`, `attention_mask` and `token_type_ids` of 64-bit integers, made by a tokenizer as Hugging Face's
 * library writes it. Longer texts are cut behind `maxLength` tokens, the special ones counted and kept. Shorter ones are padded on the right up to
 * `maxLength` (`max`) or to the longest of their batch (`longest`), with the id that the file says, else that of `[PAD]` or `<pad>`,
 * else 0. `as` gives the tensors other names. A text of more than 100,000 characters rejects its row with `length`.
 */
export const tokenizeSchema = z.strictObject({
  step: z.literal('tokenize'),
  column: columnName,
  file: z.string().min(1).max(200),
  maxLength: z.int().min(1).max(32_768),
  padding: z.enum(['max', 'longest']).optional(),
  as: z
    .strictObject({
      input_ids: columnName.optional(),
      attention_mask: columnName.optional(),
      token_type_ids: columnName.optional(),
    })
    .optional(),
});
export const tokenize = defineStep<typeof tokenizeSchema>({
  apply({ column, file, maxLength, padding = 'max', as = {} }, draft: Draft, assets) {
    const read = draft.read(column, 'text');
    let encoder: Promise<Encoder> | undefined;
    const slots = draft.add({
      reads: [read],
      count: 3,
      tensor: { type: 'int64', rest: [padding === 'max' ? maxLength : null] },
      async run([data], marks) {
        if (data?.kind !== 'text') return [];
        encoder ??= openEncoder(assets.get(file), { file, maxLength });
        const { encode, padId } = await encoder;
        const encoded = data.values.map((text, at): Encoded | undefined => {
          if (marks.isBad(at)) return undefined;
          const tooLong = (text?.length ?? 0) > maxCharacters;
          const one = tooLong ? undefined : encode(text ?? '');
          if (one === undefined) marks.reject(at, read.column, tooLong ? 'length' : 'text');
          return one;
        });
        const width =
          padding === 'max'
            ? maxLength
            : encoded.reduce((longest, one) => Math.max(longest, one?.ids.length ?? 0), 1);
        return [
          packed(
            encoded.map((one) => one?.ids ?? []),
            { width, pad: padId },
          ),
          packed(
            encoded.map((one) => one?.ids.map(() => 1) ?? []),
            { width, pad: 0 },
          ),
          packed(
            encoded.map((one) => one?.types ?? []),
            { width, pad: 0 },
          ),
        ];
      },
    });
    const names = [
      as.input_ids ?? 'input_ids',
      as.attention_mask ?? 'attention_mask',
      as.token_type_ids ?? 'token_type_ids',
    ];
    draft.replace(
      new Map([
        [draft.find(column) ?? column, slots.map((slot, at) => [names[at] ?? '', slot] as const)],
      ]),
    );
  },
});

interface Encoded {
  readonly ids: readonly number[];
  readonly types: readonly number[];
}

interface Encoder {
  readonly padId: number;
  /** Undefined when the tokenizer fails at the text. */
  encode(text: string): Encoded | undefined;
}

/** Throws `corrupt` for a file that is no tokenizer. */
export async function openEncoder(
  bytes: Uint8Array | undefined,
  { file, maxLength }: { readonly file: string; readonly maxLength: number },
): Promise<Encoder> {
  if (bytes === undefined)
    throw new AppError('corrupt', `The pipeline names ${file}, which the version does not have.`);
  const { Tokenizer } = await import('@huggingface/tokenizers');
  const { parseTokenizerFile } = await import('./tokenizer-file.ts');
  try {
    const json = parseTokenizerFile(bytes);
    const { padding } = json;
    const tokenizer = new Tokenizer(json, {});
    return {
      padId:
        padding?.pad_id ?? tokenizer.token_to_id('[PAD]') ?? tokenizer.token_to_id('<pad>') ?? 0,
      encode(text) {
        try {
          return encodeUpTo(maxLength, text, tokenizer);
        } catch {
          return undefined;
        }
      },
    };
  } catch (cause) {
    throw new AppError('corrupt', `${file} is not a tokenizer that can be read.`, { cause });
  }
}

function encodeUpTo(maxLength: number, text: string, tokenizer: Tokenizer): Encoded {
  const { ids, token_type_ids: types } = tokenizer.encode(text, { return_token_type_ids: true });
  if (ids.length <= maxLength) return { ids, types };
  const body = tokenizer.encode(text, { add_special_tokens: false }).ids;
  const behind = ids.length - body.length - prefixLength(ids, body);
  const kept = [...ids.keys()].filter((at) => at < maxLength - behind || at >= ids.length - behind);
  return { ids: kept.map((at) => ids[at] ?? 0), types: kept.map((at) => types[at] ?? 0) };
}

/** Special tokens in front of the others. */
function prefixLength(all: readonly number[], body: readonly number[]): number {
  for (let at = 0; at <= all.length - body.length; at += 1)
    if (body.every((id, place) => all[at + place] === id)) return at;
  return 0;
}

function packed(
  rows: readonly (readonly number[])[],
  { width, pad }: { readonly width: number; readonly pad: number },
): TensorFeature {
  const values = new BigInt64Array(rows.length * width).fill(BigInt(pad));
  for (const [row, ids] of rows.entries())
    for (const [at, id] of ids.entries()) values[row * width + at] = BigInt(id);
  return { kind: 'tensor', type: 'int64', rest: [width], values };
}
