import { z } from 'zod';
import { columnName, defineStep } from './step.ts';
import type { TensorFeature } from '../feature.ts';

/** Of a decoded image; a photograph of a telephone has 50 million. What claims more is not decoded. */
const maxPixels = 64_000_000;
const side = z.int().min(1).max(4096);
const size = { width: side, height: side };

/**
 * `{ "step": "image", "column": "image", "as": "pixels", "resize": { "width": 256, "height": 256, "fit": "outside" },
 * "crop": { "width": 224, "height": 224 }, "color": "rgb", "layout": "NCHW", "scale": 0.00392156862745098,
 * "mean": [0.485, 0.456, 0.406], "sd": [0.229, 0.224, 0.225] }`.
 *
 * JPEG (CMYK too), PNG, WebP, TIFF, GIF (of several pages the first) or BMP without compression; of 16 bits the upper 8. In this order: turned as its EXIF orientation says, laid on black where it is
 * transparent, resized, cropped in the centre, and each value (0 to 255) becomes `(value * scale - mean) / sd`; all but a size may
 * be left out. With `fit` `cover` the image fills the size and is cut in the centre, with `contain` it is padded with black, with `fill` it is
 * stretched; with `outside` its shorter side fits the size, and `crop` must follow. `type` `uint8` gives the bytes as they
 * are. What is no such image, is damaged or has more than 64 million pixels rejects its row with `image`.
 */
export const imageSchema = z
  .strictObject({
    step: z.literal('image'),
    column: columnName,
    as: columnName,
    resize: z
      .strictObject({
        ...size,
        fit: z.enum(['cover', 'contain', 'fill', 'outside']).optional(),
        kernel: z
          .enum(['nearest', 'linear', 'cubic', 'mitchell', 'lanczos2', 'lanczos3'])
          .optional(),
      })
      .optional(),
    crop: z.strictObject(size).optional(),
    color: z.enum(['rgb', 'bgr', 'grey']).optional(),
    layout: z.enum(['NCHW', 'NHWC']).optional(),
    type: z.enum(['float', 'uint8']).optional(),
    scale: z.number().optional(),
    mean: z.array(z.number()).min(1).max(3).optional(),
    sd: z.array(z.number().positive()).min(1).max(3).optional(),
  })
  .refine(
    ({ resize, crop }) => crop !== undefined || (resize !== undefined && resize.fit !== 'outside'),
    {
      error: 'An image needs a size.',
    },
  );
export const image = defineStep<typeof imageSchema>({
  apply(options, draft) {
    const read = draft.read(options.column, 'bytes');
    const { type = 'float', color = 'rgb', layout = 'NCHW' } = options;
    const channels = color === 'grey' ? 1 : 3;
    const { width, height } = options.crop ?? options.resize ?? { width: 0, height: 0 };
    const rest = layout === 'NCHW' ? [channels, height, width] : [height, width, channels];
    const perImage = channels * height * width;
    const slots = draft.add({
      reads: [read],
      count: 1,
      tensor: { type, rest },
      async run([data], marks) {
        if (data?.kind !== 'bytes') return [];
        const { decodeImage } = await import('../decode-image.ts');
        const length = marks.rows * perImage;
        const values = type === 'uint8' ? new Uint8Array(length) : new Float32Array(length);
        for (const [at, bytes] of data.values.entries()) {
          if (marks.isBad(at)) continue;
          const pixels =
            bytes === null
              ? undefined
              : await decodeImage(bytes, { ...options, width, height, channels, maxPixels });
          if (pixels === undefined)
            marks.reject(at, read.column, bytes === null ? 'missing' : 'image');
          else
            place(pixels, values.subarray(at * perImage, (at + 1) * perImage), {
              ...options,
              channels,
            });
        }
        return [{ kind: 'tensor', type, rest, values } satisfies TensorFeature];
      },
    });
    draft.replace(
      new Map([
        [
          draft.find(options.column) ?? options.column,
          slots.map((slot) => [options.as, slot] as const),
        ],
      ]),
    );
  },
});

/** From pixels, channels innermost, to the layout and scale of the model. */
function place(
  pixels: Uint8Array,
  to: Uint8Array | Float32Array,
  how: {
    readonly channels: number;
    readonly color?: string | undefined;
    readonly layout?: string | undefined;
    readonly type?: string | undefined;
    readonly scale?: number | undefined;
    readonly mean?: readonly number[] | undefined;
    readonly sd?: readonly number[] | undefined;
  },
): void {
  const { channels, scale = 1, mean = [0], sd = [1] } = how;
  const plane = pixels.length / channels;
  const isPlain = how.type === 'uint8';
  for (let channel = 0; channel < channels; channel += 1) {
    const source = how.color === 'bgr' ? channels - 1 - channel : channel;
    const centre = mean[channel] ?? mean[0] ?? 0;
    const spread = sd[channel] ?? sd[0] ?? 1;
    for (let at = 0; at < plane; at += 1) {
      const value = pixels[at * channels + source] ?? 0;
      to[how.layout === 'NHWC' ? at * channels + channel : channel * plane + at] = isPlain
        ? value
        : (value * scale - centre) / spread;
    }
  }
}
