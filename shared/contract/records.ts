import { z } from 'zod';
import { digest, modelName, timestamp, versionRef } from '../ids.ts';
import { method } from '../rpc.ts';
import { analysts, approvers, everyone, operators } from '../roles.ts';

const columnName = z.string().min(1).max(200);

/** A value for each column that the model needs; null for one that is missing. Whole numbers beyond 2^53 come as text. */
export const recordValues = z
  .record(
    columnName,
    z.union(
      [z.string().max(100_000), z.number(), z.boolean(), z.null()],
      'must be a number, true, false, null or a text of at most 100,000 characters',
    ),
  )
  .refine((record) => Object.keys(record).length <= 20_000, 'has more than 20,000 columns');
export type RecordValues = z.infer<typeof recordValues>;

const recordTexts = z.record(z.string(), z.string().nullable());

export const recordField = z.strictObject({
  name: z.string(),
  /** What a value of it is read as. */
  as: z.enum(['number', 'integer', 'boolean', 'text']),
  kind: z.enum(['numeric', 'categorical', 'boolean']),
  min: z.number().nullable(),
  max: z.number().nullable(),
  categories: z.array(z.string()).nullable(),
  /** A value outside of range or categories is refused, and not only unusual. */
  isStrict: z.boolean(),
  unit: z.string().nullable(),
  description: z.string().nullable(),
});

/** What the child says; the core adds the version. */
export const recordFormFacts = z.strictObject({
  fields: z.array(recordField).max(20_000),
  /** Numbers of the output that can be explained, and the one that is the prediction. */
  targets: z.array(z.string()),
  target: z.string().nullable(),
  threshold: z.number().nullable(),
  /** Whether the bundle has rows to compare a record with. */
  hasReference: z.boolean(),
  /** First rows of the reference. */
  rows: z.array(recordTexts).max(3),
});

const ofVersion = { model: modelName, version: z.int(), versionDigest: digest };

export const recordForm = z.strictObject({
  ...ofVersion,
  ...recordFormFacts.omit({ rows: true }).shape,
  examples: z.array(z.strictObject({ name: z.string(), record: recordTexts })),
  /** What is said of a value that cannot be used, by the code of the reason, in the words of a reject. */
  messages: z.record(z.string(), z.string()),
});
export type RecordForm = z.infer<typeof recordForm>;

const outputValue = z.strictObject({
  name: z.string(),
  value: z.union([z.number(), z.boolean(), z.string(), z.null()]),
});

export const predictionFacts = z.strictObject({
  outputs: z.array(outputValue),
  target: z.string().nullable(),
  value: z.number().nullable(),
  threshold: z.number().nullable(),
  /** Columns whose value is outside of the range or the categories that the pipeline states, and was taken all the same. */
  unusual: z
    .array(z.strictObject({ column: z.string(), code: z.enum(['range', 'category']) }))
    .max(20_000),
});

export const prediction = z.strictObject({
  ...ofVersion,
  ...predictionFacts.shape,
  /**
   * What the log holds in place of the record: SHA-256(salt ‖ RFC 8785 of `{outputs, record}`). The salt is kept nowhere: who has it,
   * the record and the outputs can show that this is what was asked and answered.
   */
  commitment: z.strictObject({ salt: z.string(), digest }),
  logIndex: z.int(),
});
export type Prediction = z.infer<typeof prediction>;

export const explanationFacts = z.strictObject({
  target: z.string(),
  /** `base` and all contributions add up to it. */
  value: z.number(),
  base: z.number(),
  /** `log-odds`: value, base and contributions are ln(p / (1 − p)) of the output. */
  scale: z.enum(['output', 'log-odds']),
  method: z.enum(['linear', 'trees', 'sampling']),
  /** Rows of the reference that the record was compared with. */
  rows: z.int(),
  predictions: z.int(),
  contributions: z.array(
    z.strictObject({
      column: z.string(),
      value: z.string().nullable(),
      contribution: z.number(),
      /** Standard error; 0 where the contributions are exact, null where one sample says nothing of it. */
      error: z.number().nullable(),
    }),
  ),
});

export const explanation = z.strictObject({
  ...ofVersion,
  ...explanationFacts.shape,
  logIndex: z.int(),
});
export type Explanation = z.infer<typeof explanation>;

export const changeFacts = z.strictObject({
  target: z.string(),
  value: z.number(),
  threshold: z.number(),
  /** `stopped`: nothing was found before the search had used up its predictions. */
  status: z.enum(['found', 'none', 'stopped']),
  changes: z.array(
    z.strictObject({
      column: z.string(),
      from: z.string().nullable(),
      to: z.string(),
      unit: z.string().nullable(),
    }),
  ),
  /** Prediction with the changes made. */
  changedValue: z.number().nullable(),
  /** In spreads of the reference (half the distance of its 16th and 84th percentile), summed over the columns. */
  distance: z.number(),
  predictions: z.int(),
});

export const change = z.strictObject({ ...ofVersion, ...changeFacts.shape, logIndex: z.int() });
export type Change = z.infer<typeof change>;

export const adverseSide = z.enum(['at-or-above', 'below']);

export const reasonFacts = z.strictObject({
  status: z.enum(['adverse', 'not-adverse']),
  target: z.string(),
  value: z.number(),
  threshold: z.number(),
  /** Rows of the reference that just passed, with which the record was compared. */
  rows: z.int(),
  reasons: z.array(
    z.strictObject({
      column: z.string(),
      value: z.string().nullable(),
      /** How far it moves the score to the adverse side. */
      push: z.number(),
      /** Share of the draws in which it was among the reasons. */
      stability: z.number(),
    }),
  ),
  /** Share of the draws in which the same set of reasons came out. */
  sameSet: z.number(),
  draws: z.int(),
  method: z.enum(['linear', 'trees', 'sampling']),
});

/** What is said to a person of each column that can be a reason. */
export const reasonTexts = z.strictObject({
  adverse: adverseSide,
  /** Reasons that a person is told at most. */
  most: z.int().min(1).max(10),
  texts: z
    .array(
      z.strictObject({
        column: columnName,
        text: z
          .string()
          .max(500)
          .refine((text) => text.trim() !== '', 'must say something'),
      }),
    )
    .max(20_000)
    .refine(
      (texts) => new Set(texts.map(({ column }) => column)).size === texts.length,
      'name a column twice',
    ),
});
export type ReasonTexts = z.infer<typeof reasonTexts>;

export const storedReasonTexts = z.strictObject({
  ...reasonTexts.shape,
  digest,
  proposedBy: z.string(),
  proposedAt: timestamp,
  approvedBy: z.string().nullable(),
  approvedAt: timestamp.nullable(),
});
export type StoredReasonTexts = z.infer<typeof storedReasonTexts>;

export const reasonTextsState = z.strictObject({
  model: modelName,
  version: z.int(),
  /** What may be printed; null when nobody has approved anything. */
  approved: storedReasonTexts.nullable(),
  /** What waits for an approver. */
  proposed: storedReasonTexts.nullable(),
});
export type ReasonTextsState = z.infer<typeof reasonTextsState>;

export const reasons = z.strictObject({
  ...ofVersion,
  ...reasonFacts.omit({ reasons: true }).shape,
  adverse: adverseSide,
  reasons: z.array(
    z.strictObject({
      ...reasonFacts.shape.reasons.element.shape,
      /** Approved; null when there is none. */
      text: z.string().nullable(),
    }),
  ),
  /** What may be told to the person, in order; null unless each reason has an approved text. */
  notice: z.array(z.string()).nullable(),
  logIndex: z.int(),
});
export type Reasons = z.infer<typeof reasons>;

const asked = { version: versionRef, record: recordValues };
const target = z.string().min(1).max(300).optional();

export const records = {
  form: method({
    input: z.strictObject({ version: versionRef }),
    output: recordForm,
    access: operators,
    about: 'Says what a record of a model consists of, with examples.',
  }),
  predict: method({
    input: z.strictObject(asked),
    output: prediction,
    access: operators,
    action: 'record.predict',
    about: 'Predicts one record. The log holds a salted commitment in place of it.',
  }),
  explain: method({
    input: z.strictObject({
      ...asked,
      target,
      /** Orders of the columns that are tried where the contributions cannot be had exactly. */
      permutations: z.int().min(2).max(10_000).default(1000),
    }),
    output: explanation,
    access: operators,
    action: 'record.explain',
    about: 'Shares a prediction out among the columns of its record.',
  }),
  change: method({
    input: z.strictObject({
      ...asked,
      target,
      /** In place of what the pipeline says. */
      threshold: z.number().optional(),
      /** Columns that cannot be changed. */
      immutable: z.array(columnName).max(20_000).default([]),
      /** Columns that may be changed together, at most. */
      mostColumns: z.int().min(1).max(5).default(3),
    }),
    output: change,
    access: operators,
    action: 'record.explain',
    about: 'Looks for the smallest change of a record that would change the decision.',
  }),
  reasons: method({
    input: z.strictObject(asked),
    output: reasons,
    access: operators,
    action: 'record.explain',
    about: 'Names the principal reasons of an adverse decision, and what may be said of them.',
  }),
  reasonTexts: method({
    input: z.strictObject({ version: versionRef }),
    output: reasonTextsState,
    access: everyone,
    about: 'Shows the texts of reasons of a version: the approved ones and those that wait.',
  }),
  proposeTexts: method({
    input: z.strictObject({ version: versionRef, texts: reasonTexts }),
    output: reasonTextsState,
    access: analysts,
    action: 'reasons.propose',
    about: 'Proposes what is said to people of the reasons of a decision.',
  }),
  approveTexts: method({
    /** The digest says which proposal was read. */
    input: z.strictObject({ version: versionRef, digest }),
    output: reasonTextsState,
    access: approvers,
    action: 'reasons.approve',
    about: 'Approves proposed texts of reasons; never by who proposed them.',
  }),
};
