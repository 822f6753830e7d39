/** In the child: an image to pixels. The library decodes nothing but the formats that are named here, on one thread. */
import sharp from 'sharp';

sharp.cache(false);
sharp.concurrency(1);
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: [
    'VipsForeignLoadJpegBuffer',
    'VipsForeignLoadPngBuffer',
    'VipsForeignLoadWebpBuffer',
    'VipsForeignLoadTiffBuffer',
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
    let picture = sharp(bytes, { limitInputPixels: maxPixels, failOn: 'error', pages: 1 })
      .autoOrient()
      .flatten({ background: '#000' })
      .toColorspace(channels === 1 ? 'b-w' : 'srgb');
    if (resize !== undefined)
      picture = picture.resize(resize.width, resize.height, {
        fit: resize.fit ?? 'cover',
        kernel: resize.kernel ?? 'linear',
        background: '#000',
      });
    const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
    if (info.channels !== channels) return undefined;
    const cut = crop === undefined ? data : centre(data, info, crop);
    return cut?.length === width * height * channels ? cut : undefined;
  } catch {
    // The library's messages may quote the file, and each of them means the same for the row.
    return undefined;
  }
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
