import { z } from 'zod';
import { timestamp, userName } from '../ids.ts';
import { method, none } from '../rpc.ts';
import { analysts, everyone } from '../roles.ts';

/** What was served of a version since serving was started, of its tensors or of its rows. */
const versionStatistics = z.strictObject({
  /** As it is asked for: `NAME` or `NAME:rows`. */
  model: z.string(),
  version: z.int(),
  succeeded: z.int(),
  failed: z.int(),
  /** Rows: a request with a batch of 64 counts 64. */
  inferences: z.int(),
  /** Runs of the model: joined requests count once. */
  executions: z.int(),
  pending: z.int(),
  /** Means over the successful requests; null before there is one. */
  meanMs: z.number().nullable(),
  meanInferMs: z.number().nullable(),
  lastInferenceAt: timestamp.nullable(),
});

export const servingStatus = z.strictObject({
  /** By the policy. */
  allowed: z.boolean(),
  /** Null while nothing listens. */
  listening: z
    .strictObject({
      /** `127.0.0.1:8000` */
      address: z.string(),
      since: timestamp,
      by: userName,
      maxQueueDelayMicroseconds: z.int(),
      maxBatch: z.int(),
      /** Requests without the token, from a browser or for another host. */
      turnedAway: z.int(),
    })
    .nullable(),
  /** Since serving was last started; they stay when it stops. */
  models: z.array(versionStatistics),
});
export type ServingStatus = z.infer<typeof servingStatus>;

export const defaultPort = 8000;
/** 0: any port that is free. */
export const servingPort = z
  .int()
  .min(0)
  .max(65_535)
  .refine((port) => port === 0 || port >= 1024, 'must be 0 or at least 1024');

export const serving = {
  status: method({
    input: none,
    output: servingStatus,
    access: everyone,
    about: 'Whether models are served over the local port, to whom it was said and what was asked.',
  }),
  start: method({
    input: z.strictObject({
      port: servingPort.default(defaultPort),
      /** How long a request may wait for others to be run together with it; 0: each is run alone. */
      maxQueueDelayMicroseconds: z.int().min(0).max(1_000_000).default(0),
      /** Rows of requests that are run together, at most. */
      maxBatch: z.int().min(1).max(4096).default(64),
    }),
    output: z.strictObject({
      address: z.string(),
      /** Shown this once: every request carries it. */
      token: z.string(),
    }),
    access: analysts,
    action: 'serve.start',
    about:
      'Serves models on 127.0.0.1 (Open Inference Protocol v2) until it is stopped or the vault is sealed.',
  }),
  stop: method({
    input: none,
    output: servingStatus,
    access: analysts,
    action: 'serve.stop',
    about: 'Stops serving; the token is worth nothing any more.',
  }),
};
