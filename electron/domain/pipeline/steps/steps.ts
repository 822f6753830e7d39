/** All steps that a pipeline may have before the model. */
import { z } from 'zod';
import type { Draft } from '../draft.ts';
import { cast } from './cast.ts';
import { clip } from './clip.ts';
import { date } from './date.ts';
import { hash } from './hash.ts';
import { image } from './image.ts';
import { impute } from './impute.ts';
import { log } from './log.ts';
import { oneHot } from './one-hot.ts';
import { ordinal } from './ordinal.ts';
import { rename } from './rename.ts';
import { scale } from './scale.ts';
import { select } from './select.ts';
import type { Assets } from './step.ts';
import { tokenize } from './tokenize.ts';

export const inputStep = z.discriminatedUnion('step', [
  cast.schema,
  clip.schema,
  date.schema,
  hash.schema,
  image.schema,
  impute.schema,
  log.schema,
  oneHot.schema,
  ordinal.schema,
  rename.schema,
  scale.schema,
  select.schema,
  tokenize.schema,
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
