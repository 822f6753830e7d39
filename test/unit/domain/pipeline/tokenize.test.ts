/** A WordPiece tokenizer as BERT has it, small enough that its answers are worked out by hand: longest piece first. */
import { expect, test } from 'vitest';
import { pipelineSchema } from '#domain/pipeline/index.ts';
import { chunk, plan, spec, text } from '../../../support/pipelines.ts';

const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'un', '##aff', '##able', 'good', 'film', '!'];
const tokenizer = {
  version: '1.0',
  added_tokens: words.slice(0, 4).map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  })),
  normalizer: {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [
      { SpecialToken: { id: '[CLS]', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: '[SEP]', type_id: 0 } },
    ],
    pair: [],
    special_tokens: {
      '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] },
      '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] },
    },
  },
  decoder: null,
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(words.map((word, id) => [word, id])),
  },
};

const names = ['input_ids', 'attention_mask', 'token_type_ids'];

function prepare(step: object, file: string | undefined = JSON.stringify(tokenizer)) {
  return plan(
    names.map((name) => spec(name, 'int64', ['N', null])),
    ['review'],
    {
      pipeline: pipelineSchema.parse({
        schemaVersion: 2,
        steps: [{ step: 'tokenize', column: 'review', file: 'tokenizer.json', ...step }],
      }),
      assets: new Map(file === undefined ? [] : [['tokenizer.json', Buffer.from(file)]]),
    },
  );
}

async function encode(step: object, ...values: (string | null)[]) {
  const { tensors, bad } = await prepare(step).toFeeds(chunk([text(...values)]));
  const rows = names.map((name) => {
    const { dims = [], data = [] } = tensors[name] ?? {};
    const [count = 0, width = 0] = dims;
    return Array.from({ length: count }, (_, row) =>
      [...data].slice(row * width, (row + 1) * width).map(Number),
    );
  });
  return { ids: rows[0], mask: rows[1], types: rows[2], bad };
}

test('a text becomes ids with special tokens, padded up to the length', async () => {
  expect(await encode({ maxLength: 7 }, 'Unaffable GOOD film!', 'good', null, 'gööd xyz')).toEqual({
    ids: [
      [2, 4, 5, 6, 7, 8, 3],
      [2, 7, 3, 0, 0, 0, 0],
      [2, 3, 0, 0, 0, 0, 0],
      [2, 7, 1, 3, 0, 0, 0],
    ],
    mask: [
      [1, 1, 1, 1, 1, 1, 1],
      [1, 1, 1, 0, 0, 0, 0],
      [1, 1, 0, 0, 0, 0, 0],
      [1, 1, 1, 1, 0, 0, 0],
    ],
    types: Array.from({ length: 4 }, () => Array(7).fill(0)),
    bad: [],
  });
});

test('a longer one is cut, and keeps what stands behind it', async () => {
  const { ids } = await encode({ maxLength: 4 }, 'good film good film', '');
  expect(ids).toEqual([
    [2, 7, 8, 3],
    [2, 3, 0, 0],
  ]);
});

test('padded to the longest of the batch', async () => {
  const { ids } = await encode({ maxLength: 100, padding: 'longest' }, 'good', 'good film !');
  expect(ids).toEqual([
    [2, 7, 3, 0, 0],
    [2, 7, 8, 9, 3],
  ]);
});

test('a text that is far too long rejects its row', async () => {
  const { ids, bad } = await encode({ maxLength: 3 }, 'a'.repeat(100_001), 'film');
  expect(bad).toEqual([{ at: 0, column: 'review', code: 'length' }]);
  expect(ids).toEqual([[2, 8, 3]]);
});

test('a tokenizer that does not parse, or is not there, is corrupt', async () => {
  for (const file of ['{', '[]', '{"model": {}}', '{"model": {"type": "Tarot", "vocab": 7}}'])
    await expect(prepare({ maxLength: 4 }, file).toFeeds(chunk([text('x')]))).rejects.toThrow(
      expect.objectContaining({ code: 'corrupt' }),
    );
  const without = plan([spec('input_ids', 'int64', ['N', 4])], ['review'], {
    pipeline: pipelineSchema.parse({
      schemaVersion: 2,
      steps: [{ step: 'tokenize', column: 'review', file: 'none.json', maxLength: 4 }],
    }),
  });
  await expect(without.toFeeds(chunk([text('x')]))).rejects.toThrow(
    expect.objectContaining({ code: 'corrupt' }),
  );
});

test('a length that the model does not take is told before anything is read', () => {
  expect(() =>
    plan([spec('input_ids', 'int64', ['N', 128])], ['review'], {
      pipeline: pipelineSchema.parse({
        schemaVersion: 2,
        steps: [{ step: 'tokenize', column: 'review', file: 'tokenizer.json', maxLength: 64 }],
      }),
    }),
  ).toThrow(expect.objectContaining({ code: 'invalid-input' }));
});
