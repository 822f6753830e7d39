import { z } from 'zod';
import { errorCodes } from '../errors.ts';
import { operationId, timestamp } from '../ids.ts';
import { method, none } from '../rpc.ts';

export const operation = z.strictObject({
  operationId,
  method: z.string(),
  title: z.string(),
  state: z.enum(['running', 'done', 'failed', 'cancelled']),
  startedAt: timestamp,
  finishedAt: timestamp.nullable(),
  done: z.number(),
  /** null while the whole is not known. */
  total: z.number().nullable(),
  unit: z.enum(['bytes', 'rows', 'entries', 'steps']),
  step: z.string(),
  /** The output of the method, when done. */
  result: z.unknown(),
  error: z
    .strictObject({
      code: z.enum(errorCodes),
      message: z.string(),
      details: z.record(z.string(), z.unknown()).optional(),
    })
    .nullable(),
});
export type Operation = z.infer<typeof operation>;

export const operations = {
  list: method({
    input: none,
    output: z.array(operation),
    access: 'anyone',
    about: 'Running and finished work.',
  }),
  get: method({
    input: z.strictObject({ operationId }),
    output: operation,
    access: 'anyone',
    about: 'One piece of work with its progress and result.',
  }),
  cancel: method({
    input: z.strictObject({ operationId }),
    output: none,
    access: 'anyone',
    about: 'Asks a piece of work to stop.',
  }),
};
