/**
 * What the files of a bundle are arranged as, seen when all of them are read: an MLflow model, a Triton model, a folder as
 * on Hugging Face, or what the container's own manifest says. A layout points at the model to run and repeats, as facts, what
 * its own file says. Facts are shown and never trusted.
 */
import type { Declared } from '../containers/container.ts';
import { huggingFaceLayout } from './hugging-face.ts';
import { mlflowLayout } from './mlflow.ts';
import { tritonLayout } from './triton.ts';

export interface LayoutFile {
  readonly path: string;
  /** Content of the small files that a layout is known by. */
  readonly text: Uint8Array | undefined;
}

export interface Layout {
  readonly layout: string;
  /** Path of the model to run; undefined if the layout has none. */
  readonly model: string | undefined;
  /** Why there is none, or why nobody can tell which. */
  readonly problem?: {
    readonly ruleId: 'SR-BUNDLE-001' | 'SR-BUNDLE-002' | 'SR-BUNDLE-004';
    readonly path: string;
    readonly message: string;
  };
  readonly facts: Declared['facts'];
}

/** Names of files that a layout reads, at any depth. */
export const layoutTexts: readonly string[] = ['MLmodel', 'config.pbtxt', 'config.json'];

export function layoutOf(files: readonly LayoutFile[], declared: Declared): Layout | undefined {
  if (declared.layout !== undefined) return containerLayout(files, declared, declared.layout);
  return mlflowLayout(files) ?? tritonLayout(files) ?? huggingFaceLayout(files);
}

/** A ModelKit may name the model's file or its folder; a ModelPack model is found by its name like any other. */
function containerLayout(
  files: readonly LayoutFile[],
  { model, facts }: Declared,
  layout: string,
): Layout {
  const inner = mlflowLayout(files) ?? tritonLayout(files) ?? huggingFaceLayout(files);
  const below = files
    .map(({ path }) => path)
    .filter((path) => /\.onnx$/i.test(path) && (path === model || path.startsWith(`${model}/`)));
  const named =
    below.find((path) => path === model || path === `${model}/model.onnx`) ??
    (below.length === 1 ? below[0] : undefined);
  return { layout, model: named ?? inner?.model, facts };
}
