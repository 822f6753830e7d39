/** All steps that a pipeline may have behind the model. */
import { z } from 'zod';
import type { Assets } from '../steps/step.ts';
import { argmax, argmaxSchema } from './argmax.ts';
import { drop, dropSchema } from './drop.ts';
import { labels, labelsSchema } from './labels.ts';
import type { Outputs } from './output.ts';
import { renameOutputs, renameOutputsSchema } from './rename-outputs.ts';
import { sigmoid, sigmoidSchema } from './sigmoid.ts';
import { softmax, softmaxSchema } from './softmax.ts';
import { threshold, thresholdSchema } from './threshold.ts';
import { topK, topKSchema } from './top-k.ts';

export const outputStep = z.discriminatedUnion('step', [
  argmaxSchema,
  dropSchema,
  labelsSchema,
  renameOutputsSchema,
  sigmoidSchema,
  softmaxSchema,
  thresholdSchema,
  topKSchema,
]);
export type OutputStep = z.infer<typeof outputStep>;

export function applyOutputStep(step: OutputStep, outputs: Outputs, assets: Assets): Outputs {
  switch (step.step) {
    case 'argmax':
      return argmax.apply(step, outputs, assets);
    case 'drop':
      return drop.apply(step, outputs, assets);
    case 'labels':
      return labels.apply(step, outputs, assets);
    case 'rename':
      return renameOutputs.apply(step, outputs, assets);
    case 'sigmoid':
      return sigmoid.apply(step, outputs, assets);
    case 'softmax':
      return softmax.apply(step, outputs, assets);
    case 'threshold':
      return threshold.apply(step, outputs, assets);
    case 'top-k':
      return topK.apply(step, outputs, assets);
  }
}
