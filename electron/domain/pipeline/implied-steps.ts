/** Steps that nobody wrote down and that the file and the model ask for. */
import type { TensorSpec } from '#shared/contract/bundles.ts';
import { heldAs } from '#domain/onnx/index.ts';
import type { TableColumn } from '#domain/tables/index.ts';
import type { InputStep } from './steps/steps.ts';

/**
 * For a file of images, and the one input of a model that looks as if it took images: four dimensions, one or three channels, a
 * fixed height and width. Filled to that size; floats are 0 to 1, bytes stay as they are. A mean and a deviation cannot be guessed.
 */
export function impliedSteps(
  inputs: readonly TensorSpec[],
  columns: readonly TableColumn[],
): readonly InputStep[] {
  const images = columns.filter(({ type }) => type === 'bytes');
  const shapes = inputs.flatMap((spec) => imageShape(spec) ?? []);
  const [column, ...moreImages] = images;
  const [shape, ...moreShapes] = shapes;
  if (column === undefined || shape === undefined) return [];
  if (moreImages.length > 0 || moreShapes.length > 0) return [];
  const { name, width, height, channels, layout, type } = shape;
  return [
    {
      step: 'image',
      column: column.name,
      as: name,
      resize: { width, height, fit: 'cover' },
      color: channels === 1 ? 'grey' : 'rgb',
      layout,
      type,
      ...(type === 'float' ? { scale: 1 / 255 } : {}),
    },
  ];
}

function imageShape({ name, type, shape }: TensorSpec) {
  const held = heldAs(type);
  const [, second, third, fourth, ...more] = shape;
  if (more.length > 0 || (held !== 'float' && held !== 'uint8')) return undefined;
  const kind = held === 'float' ? ('float' as const) : ('uint8' as const);
  const layout = isChannels(second) ? ('NCHW' as const) : ('NHWC' as const);
  const [channels, height, width] =
    layout === 'NCHW' ? [second, third, fourth] : [fourth, second, third];
  const isImage = isChannels(channels) && typeof height === 'number' && typeof width === 'number';
  return isImage && height > 1 && width > 1
    ? { name, type: kind, layout, channels, height, width }
    : undefined;
}

function isChannels(size: TensorSpec['shape'][number] | undefined): size is 1 | 3 {
  return size === 1 || size === 3;
}
