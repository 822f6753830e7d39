/** In the child: an image to pixels. The library decodes nothing but the formats that are named here, on one thread. */
import sharp, { type Sharp } from 'sharp';
import { isBmp, readBmp } from './read-bmp.ts';

sharp.cache(false);
sharp.concurrency(1);
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: [
    'VipsForeignLoadJpegBuffer',
    'VipsForeignLoadPngBuffer',
    'VipsForeignLoadWebpBuffer',
    'VipsForeignLoadTiffBuffer',
    'VipsForeignLoadNsgifBuffer',
  ],
});

export interface ImageOptions {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly maxPixels: number;
  readonly resize?:
    | {
        readonly width: number;
        readonly height: number;
        readonly fit?: 'cover' | 'contain' | 'fill' | 'outside' | undefined;
        readonly kernel?:
          'nearest' | 'linear' | 'cubic' | 'mitchell' | 'lanczos2' | 'lanczos3' | undefined;
      }
    | undefined;
  readonly crop?: { readonly width: number; readonly height: number } | undefined;
}

/** `width` × `height` × `channels` bytes; undefined for what is no image, is damaged, or has too many pixels. */
export async function decodeImage(
  bytes: Uint8Array,
  options: ImageOptions,
): Promise<Uint8Array | undefined> {
  const { width, height, channels, maxPixels, resize, crop } = options;
  try {
    let picture = opened(bytes, maxPixels)
      ?.autoOrient()
      .flatten({ background: '#000' })
      .toColorspace('srgb');
    if (picture === undefined) return undefined;
    if (resize !== undefined)
      picture = picture.resize(resize.width, resize.height, {
        fit: resize.fit ?? 'cover',
        kernel: resize.kernel ?? 'linear',
        background: '#000',
      });
    const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) return undefined;
    const colours = crop === undefined ? data : centre(data, info, crop);
    const cut = channels === 1 && colours !== undefined ? toGrey(colours) : colours;
    return cut?.length === width * height * channels ? cut : undefined;
  } catch {
    // The library's messages may quote the file, and each of them means the same for the row.
    return undefined;
  }
}

function opened(bytes: Uint8Array, maxPixels: number): Sharp | undefined {
  if (!isBmp(bytes))
    return sharp(bytes, { limitInputPixels: maxPixels, failOn: 'error', pages: 1 });
  const found = readBmp(bytes, maxPixels);
  if (found === undefined) return undefined;
  const { pixels, width, height } = found;
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

/** ITU-R 601 luma in whole numbers, to the bit as Pillow has it: models are trained on that, and the library's is another. */
function toGrey(colours: Uint8Array): Uint8Array {
  const grey = new Uint8Array(colours.length / 3);
  for (let at = 0; at < grey.length; at += 1) {
    const [red = 0, green = 0, blue = 0] = [
      colours[3 * at],
      colours[3 * at + 1],
      colours[3 * at + 2],
    ];
    grey[at] = (red * 19_595 + green * 38_470 + blue * 7471 + 0x8000) >> 16;
  }
  return grey;
}

/** Undefined when the image is smaller than the cut. */
function centre(
  pixels: Uint8Array,
  image: { readonly width: number; readonly height: number; readonly channels: number },
  crop: { readonly width: number; readonly height: number },
): Uint8Array | undefined {
  const left = Math.floor((image.width - crop.width) / 2);
  const top = Math.floor((image.height - crop.height) / 2);
  if (left < 0 || top < 0) return undefined;
  const line = crop.width * image.channels;
  const cut = new Uint8Array(crop.height * line);
  for (let row = 0; row < crop.height; row += 1) {
    const from = ((top + row) * image.width + left) * image.channels;
    cut.set(pixels.subarray(from, from + line), row * line);
  }
  return cut;
}
