/** In the core: reads the frames of a child, whose word counts nothing. */
import { z } from 'zod';
import { BadFrame, createFrameParts, type Frame, type FrameHeader } from './frames.ts';

const frameHeader = z.strictObject({
  body: z.unknown(),
  tensors: z
    .array(
      z.strictObject({
        name: z.string().max(10_000),
        type: z.string().max(20),
        dims: z.array(z.int().min(0)).max(64),
        bytes: z.int().min(0),
      }),
    )
    .max(10_000),
});
const parse = (json: unknown): FrameHeader => frameHeader.parse(json);

export interface FrameReader {
  /** The frame that the chunk completes, if it does. Throws `BadFrame` also for bytes after it. */
  push(chunk: Uint8Array): Frame | undefined;
}

/** For one frame after another, where only one is asked for at a time. */
export function createFrameReader(): FrameReader {
  let parts = createFrameParts(parse);
  return {
    push(chunk) {
      for (let at = 0; at < chunk.length || parts.next().length === 0;) {
        const target = parts.next();
        const taken = Math.min(target.length, chunk.length - at);
        target.set(chunk.subarray(at, at + taken));
        at += taken;
        const frame = parts.took(taken);
        if (frame === undefined) continue;
        if (at < chunk.length) throw new BadFrame('More than was asked for.');
        parts = createFrameParts(parse);
        return frame;
      }
      return undefined;
    },
  };
}
