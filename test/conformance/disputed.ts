/**
 * Cases of ONNX whose expected values the runtime, and whoever exports models, does not share. They run, and what comes out is told, but
 * it is no verdict on the product either way. Names without folder; each with the reason.
 */
export const disputed: ReadonlyMap<string, string> = new Map([
  [
    'test_maxunpool_export_with_output_shape',
    'The runtime unpools into output_shape as MaxPool counts its indices; the case pads first (onnx/onnx#2398, microsoft/onnxruntime#2193).',
  ],
  ...['linear', 'cubic'].map(
    (mode) =>
      [
        `test_resize_downsample_scales_${mode}_align_corners`,
        'The runtime aligns the corners of the resized image, whose size is whole, as PyTorch does; the case those of the size before it is rounded.',
      ] as const,
  ),
  ...[
    'BFLOAT16_to_FLOAT',
    'BFLOAT16_to_FLOAT_expanded',
    'FLOAT_to_BFLOAT16',
    'FLOAT_to_BFLOAT16_expanded',
  ].map(
    (name) =>
      [
        `test_castlike_${name}`,
        'ONNX 1.12 wrote one value for an input that the model says has 3 × 4.',
      ] as const,
  ),
]);
