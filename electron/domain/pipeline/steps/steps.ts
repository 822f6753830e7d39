/** All steps that a pipeline may have before the model. */
import { z } from 'zod';
import type { Draft } from '../draft.ts';
import { cast, castSchema } from './cast.ts';
import { clip, clipSchema } from './clip.ts';
import { date, dateSchema } from './date.ts';
import { hash, hashSchema } from './hash.ts';
import { image, imageSchema } from './image.ts';
import { impute, imputeSchema } from './impute.ts';
import { log, logSchema } from './log.ts';
import { oneHot, oneHotSchema } from './one-hot.ts';
import { ordinal, ordinalSchema } from './ordinal.ts';
import { rename, renameSchema } from './rename.ts';
import { scale, scaleSchema } from './scale.ts';
import { select, selectSchema } from './select.ts';
import type { Assets } from './step.ts';
import { tokenize, tokenizeSchema } from './tokenize.ts';

export const inputStep = z.discriminatedUnion('step', [
  castSchema,
  clipSchema,
  dateSchema,
  hashSchema,
  imageSchema,
  imputeSchema,
  logSchema,
  oneHotSchema,
  ordinalSchema,
  renameSchema,
  scaleSchema,
  selectSchema,
  tokenizeSchema,
]);
export type InputStep = z.infer<typeof inputStep>;

export function applyStep(step: InputStep, draft: Draft, assets: Assets): void {
  switch (step.step) {
    case 'cast':
      return cast.apply(step, draft, assets);
    case 'clip':
      return clip.apply(step, draft, assets);
    case 'date':
      return date.apply(step, draft, assets);
    case 'hash':
      return hash.apply(step, draft, assets);
    case 'image':
      return image.apply(step, draft, assets);
    case 'impute':
      return impute.apply(step, draft, assets);
    case 'log':
      return log.apply(step, draft, assets);
    case 'one-hot':
      return oneHot.apply(step, draft, assets);
    case 'ordinal':
      return ordinal.apply(step, draft, assets);
    case 'rename':
      return rename.apply(step, draft, assets);
    case 'scale':
      return scale.apply(step, draft, assets);
    case 'select':
      return select.apply(step, draft, assets);
    case 'tokenize':
      return tokenize.apply(step, draft, assets);
  }
}
