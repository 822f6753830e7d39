/**
 * FLOE with AES-256-GCM and HKDF-Expand-SHA-384 (C2SP FLOE; ePrint 2025/2275): authenticated encryption in segments that
 * can be written as a stream and read at random. Every segment is bound to its place, to the header, and through the
 * header tag to the key (committing). A reader must see exactly one last segment, at the end: `reader.ts` insists on it.
 * All failures are `corrupt`; no plaintext of a segment is returned before its tag has been checked.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { AppError } from '#shared/errors.ts';

export const floeHeaderBytes = 74;
/** Length word (4), IV (12) and tag (16) of a segment. */
export const floeSegmentOverheadBytes = 32;

const parameterBytes = 10;
const ivBytes = 32;
const innerSegmentWord = 0xffffffff;
const defaultRotationBits = 20;
/**
 * The cipher's output is new memory each time. In pieces of this size, each given back as soon as it has been copied, it is the
 * same memory again, still in the processor's cache: half the time that whole segments take, and nothing for the collector.
 */
const pieceBytes = 64 * 1024;

export interface FloeInput {
  /** 32 bytes. */
  readonly key: Uint8Array;
  readonly aad: Uint8Array;
  /** Segments that share one derived key, as a power of two. Only the published test vectors use another than 20. */
  readonly rotationBits?: number;
}

export interface FloeEncryptor {
  readonly header: Uint8Array;
  /** Plaintext bytes that each segment but the last must carry. */
  readonly segmentPlainBytes: number;
  /**
   * Encrypts the next segment into the caller's memory; the result is its length. Inner segments must be full; the last may
   * hold 0 to `segmentPlainBytes` bytes.
   */
  encrypt(plaintext: Uint8Array, place: 'inner' | 'last', into: Uint8Array): number;
  /** Zeroes the derived keys; the last segment does it too. */
  destroy(): void;
}

export interface FloeDecryptor {
  readonly segmentBytes: number;
  decrypt(segment: Uint8Array, index: number, place: 'inner' | 'last'): Uint8Array;
  /** The same into the caller's memory, as long as the plaintext; on failure there are zeroes in it. */
  decryptInto(into: Uint8Array, segment: Uint8Array, index: number, place: 'inner' | 'last'): void;
}

/** `segmentBytes` is the length of an encrypted inner segment. */
export function createFloeEncryptor(
  input: FloeInput & { readonly segmentBytes: number },
): FloeEncryptor {
  const { segmentBytes } = input;
  const parameters = Buffer.alloc(parameterBytes);
  parameters.writeUInt32BE(segmentBytes, 2);
  parameters.writeUInt32BE(ivBytes, 6);
  const prefix = Buffer.concat([parameters, randomBytes(ivBytes)]);
  const keys = segmentKeys(input, prefix);
  let index = 0;
  let ended = false;
  return {
    header: Buffer.concat([prefix, expand(input.key, prefix, 'HEADER_TAG:', input.aad, 32)]),
    segmentPlainBytes: segmentBytes - floeSegmentOverheadBytes,
    encrypt(plaintext, place, into) {
      const full = segmentBytes - floeSegmentOverheadBytes;
      if (ended || plaintext.length > full || (place === 'inner' && plaintext.length !== full)) {
        throw new RangeError('FLOE segments must be written in order, full, and end once.');
      }
      ended = place === 'last';
      const segment = Buffer.from(into.buffer, into.byteOffset, into.byteLength);
      const lengthBytes = plaintext.length + floeSegmentOverheadBytes;
      segment.writeUInt32BE(ended ? lengthBytes : innerSegmentWord, 0);
      const iv = randomBytes(12);
      iv.copy(segment, 4);
      const cipher = createCipheriv('aes-256-gcm', keys.of(index), iv);
      cipher.setAAD(segmentAad(index, place));
      // Shared memory is copied word by word only if source and destination are aligned alike, else byte by byte.
      const lead = (16 - ((segment.byteOffset + 16) % 16)) % 16;
      let next = lead === 0 ? pieceBytes : lead;
      for (let done = 0; done < plaintext.length; done = next, next += pieceBytes)
        moveInto(segment, 16 + done, cipher.update(plaintext.subarray(done, next)));
      cipher.final();
      cipher.getAuthTag().copy(segment, 16 + plaintext.length);
      if (ended) keys.destroy();
      index += 1;
      return lengthBytes;
    },
    destroy: keys.destroy,
  };
}

/** Checks the header against key and AAD. */
export function openFloe(input: FloeInput & { readonly header: Uint8Array }): FloeDecryptor {
  const header = Buffer.from(input.header);
  if (header.length !== floeHeaderBytes) throw damaged();
  const segmentBytes = header.readUInt32BE(2);
  const known = header[0] === 0 && header[1] === 0 && header.readUInt32BE(6) === ivBytes;
  if (!known || segmentBytes <= floeSegmentOverheadBytes || segmentBytes > 0x4000_0000)
    throw damaged();
  const prefix = header.subarray(0, parameterBytes + ivBytes);
  const tag = expand(input.key, prefix, 'HEADER_TAG:', input.aad, 32);
  if (!timingSafeEqual(tag, header.subarray(prefix.length))) throw damaged();
  const keys = segmentKeys(input, prefix);
  const floe: FloeDecryptor = {
    segmentBytes,
    decrypt(segment, index, place) {
      const plaintext = Buffer.allocUnsafeSlow(
        Math.max(0, segment.length - floeSegmentOverheadBytes),
      );
      floe.decryptInto(plaintext, segment, index, place);
      return plaintext;
    },
    decryptInto(into, bytes, index, place) {
      const segment = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      if (segment.length < floeSegmentOverheadBytes || segment.length > segmentBytes)
        throw damaged();
      if (place === 'inner' && segment.length !== segmentBytes) throw damaged();
      const word = segment.readUInt32BE(0);
      if (word !== (place === 'last' ? segment.length : innerSegmentWord)) throw damaged();
      const decipher = createDecipheriv('aes-256-gcm', keys.of(index), segment.subarray(4, 16), {
        authTagLength: 16,
      });
      decipher.setAAD(segmentAad(index, place));
      decipher.setAuthTag(segment.subarray(segment.length - 16));
      const ciphertext = segment.subarray(16, segment.length - 16);
      for (let done = 0; done < ciphertext.length; done += pieceBytes)
        moveInto(into, done, decipher.update(ciphertext.subarray(done, done + pieceBytes)), 'zero');
      try {
        decipher.final();
      } catch (cause) {
        into.fill(0);
        throw damaged(cause);
      }
    },
  };
  return floe;
}

/** Copies the piece and gives its memory back without waiting for the collector. */
function moveInto(into: Uint8Array, at: number, piece: Buffer, zero?: 'zero'): void {
  into.set(piece, at);
  if (zero !== undefined) piece.fill(0);
  if (piece.byteLength === piece.buffer.byteLength) (piece.buffer as ArrayBuffer).transfer(0);
}

interface SegmentKeys {
  of(index: number): Uint8Array;
  destroy(): void;
}

function segmentKeys(input: FloeInput, prefix: Uint8Array): SegmentKeys {
  const messageKey = expand(input.key, prefix, 'MESSAGE_KEY:', input.aad, 48);
  const perKey = 2 ** (input.rotationBits ?? defaultRotationBits);
  let epoch = -1;
  let key: Uint8Array = new Uint8Array();
  return {
    of(index) {
      const first = index - (index % perKey);
      if (first !== epoch) {
        epoch = first;
        key.fill(0);
        key = expand(
          messageKey,
          prefix,
          Buffer.concat([Buffer.from('DEK:'), u64(first)]),
          input.aad,
          32,
        );
      }
      return key;
    },
    destroy() {
      messageKey.fill(0);
      key.fill(0);
    },
  };
}

/** HKDF-Expand-SHA-384 (RFC 5869 §2.3) for up to one block, with FLOE's info string. */
function expand(
  key: Uint8Array,
  prefix: Uint8Array,
  purpose: string | Uint8Array,
  aad: Uint8Array,
  lengthBytes: number,
): Buffer {
  return createHmac('sha384', key)
    .update(prefix)
    .update(purpose)
    .update(aad)
    .update(Uint8Array.of(1))
    .digest()
    .subarray(0, lengthBytes);
}

function segmentAad(index: number, place: 'inner' | 'last'): Buffer {
  return Buffer.concat([u64(index), Uint8Array.of(place === 'last' ? 1 : 0)]);
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

function damaged(cause?: unknown): AppError {
  return new AppError(
    'corrupt',
    'A stored object does not hold what was written: it is damaged or was exchanged.',
    { cause },
  );
}
