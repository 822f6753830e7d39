/**
 * A FLOE file as blocks of one size, so that each can be written at a multiple of it: block 0 begins with the header, and what
 * the header pushes over the end of a block begins the next.
 */
import { createFloeEncryptor, floeHeaderBytes, type FloeInput } from './floe.ts';

export interface BlockSealer {
  /**
   * Encrypts the next `segmentsPerBlock` segments, fewer only at the end; `block` has room for a block and a header. The result
   * is the number of bytes of the file in it: a whole block, or at the end what there is.
   */
  seal(plaintext: Uint8Array, isLast: boolean, block: Uint8Array): number;
  /** Zeroes the derived keys; the last block does it too. */
  destroy(): void;
}

export function createBlockSealer(
  input: FloeInput & { readonly segmentBytes: number; readonly segmentsPerBlock: number },
): BlockSealer {
  const floe = createFloeEncryptor(input);
  const blockBytes = input.segmentBytes * input.segmentsPerBlock;
  let carry = floe.header;
  return {
    seal(plaintext, isLast, block) {
      block.set(carry);
      let end = carry.length;
      const full = floe.segmentPlainBytes;
      // An empty file has a segment too.
      const count = Math.max(1, Math.ceil(plaintext.length / full));
      for (let index = 0; index < count; index += 1) {
        const segment = plaintext.subarray(index * full, (index + 1) * full);
        const place = isLast && index === count - 1 ? 'last' : 'inner';
        end += floe.encrypt(segment, place, block.subarray(end));
      }
      if (isLast) return end;
      carry = block.slice(blockBytes, blockBytes + floeHeaderBytes);
      return blockBytes;
    },
    destroy: floe.destroy,
  };
}
