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
    // A second pipeline: in one, the library may cut before it turns and resizes.
    const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
    const whole =
      crop === undefined
        ? { data, info }
        : await sharp(data, {
            raw: { width: info.width, height: info.height, channels: info.channels },
          })
            .extract({
              left: Math.floor((info.width - crop.width) / 2),
              top: Math.floor((info.height - crop.height) / 2),
              ...crop,
            })
            .raw()
            .toBuffer({ resolveWithObject: true });
    const isRight =
      whole.info.width === width &&
      whole.info.height === height &&
      whole.info.channels === channels;
    return isRight ? whole.data : undefined;
  } catch {
    // The library's messages may quote the file, and each of them means the same for the row.
    return undefined;
  }
}
