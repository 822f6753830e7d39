/** What of a pipeline can be held against its bundle, before there is a file with columns. */
import { printable } from '#platform/printable.ts';
import type { Pipeline, PipelineV2 } from './schema.ts';
import { openEncoder } from './steps/tokenize.ts';
import type { Assets } from './steps/step.ts';
import type { OutputStep } from './outputs/steps.ts';

/** More of them say nothing new. */
const maxFaults = 20;

/** Paths of the files of the bundle that a pipeline reads. */
export function assetsOf(pipeline: Pipeline | undefined): readonly string[] {
  if (pipeline?.schemaVersion !== 2) return [];
  const named = [...pipeline.steps, ...pipeline.outputs].flatMap((step) =>
    'file' in step && step.file !== undefined ? [step.file] : [],
  );
  return [...new Set(named)];
}

/**
 * Sentences on inputs, outputs and files that the pipeline names and that are not there. Version 1 is not looked at: bundles of its
 * time came in without.
 */
export function pipelineFaults(
  pipeline: Pipeline,
  bundle: {
    /** Names. */
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
    readonly paths: ReadonlySet<string>;
  },
): readonly string[] {
  if (pipeline.schemaVersion !== 2) return [];
  return [
    ...assetsOf(pipeline)
      .filter((path) => !bundle.paths.has(path))
      .map((path) => `It reads a file ${shown(path)} that is not in the bundle.`),
    ...Object.keys(pipeline.inputs)
      .filter((name) => !bundle.inputs.includes(name))
      .map((name) => `It feeds an input ${shown(name)} that the model does not have.`),
    ...outputFaults(pipeline, bundle.outputs),
  ].slice(0, maxFaults);
}

/** Names come from the file: without hidden characters. */
function shown(name: string): string {
  return printable(name).slice(0, 80);
}

/** In a child: opens what a run would open. Throws `corrupt` for a tokenizer that cannot be read. */
export async function checkAssets(pipeline: Pipeline, assets: Assets): Promise<void> {
  if (pipeline.schemaVersion !== 2) return;
  for (const step of pipeline.steps)
    if (step.step === 'tokenize') await openEncoder(assets.get(step.file), step);
}

function outputFaults({ outputs, prediction }: PipelineV2, given: readonly string[]): string[] {
  const faults: string[] = [];
  const names = new Set(given);
  for (const step of outputs) {
    for (const name of readsOf(step))
      if (!names.has(name))
        faults.push(`Its step ${step.step} is for an output ${shown(name)} that is not there.`);
    for (const name of step.step === 'drop' || step.step === 'rename' ? readsOf(step) : [])
      names.delete(name);
    for (const name of makesOf(step)) names.add(name);
  }
  if (
    prediction !== undefined &&
    !names.has(prediction.output) &&
    !given.includes(prediction.output)
  )
    faults.push(`Its prediction is an output ${shown(prediction.output)} that is not there.`);
  return faults;
}

function readsOf(step: OutputStep): readonly string[] {
  if (step.step === 'drop') return step.outputs;
  return step.step === 'rename' ? Object.keys(step.outputs) : [step.output];
}

function makesOf(step: OutputStep): readonly string[] {
  if (step.step === 'rename') return Object.values(step.outputs);
  if (step.step === 'top-k')
    return Array.from({ length: step.k }, (_, at) => `${step.as}_${at + 1}`).flatMap((name) => [
      name,
      `${name}_value`,
    ]);
  return 'as' in step ? [step.as] : [];
}
