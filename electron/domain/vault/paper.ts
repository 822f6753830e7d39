/**
 * Bytes for paper: Crockford's base32 in groups of five, with a checksum so that a typing error is told apart from a wrong key.
 * Reading is forgiving: case, spaces, O for 0, I and L for 1.
 */
import { hash } from 'node:crypto';

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const checksumBytes = 4;
const groupSymbols = 5;

export function toPaper(bytes: Uint8Array, label: string): string {
  let value = BigInt(`0x${Buffer.concat([bytes, checksum(bytes, label)]).toString('hex')}`);
  let text = '';
  for (let left = paperSymbols(bytes.length); left > 0; left -= 1) {
    text = alphabet.charAt(Number(value & 31n)) + text;
    value >>= 5n;
  }
  return (text.match(new RegExp(`.{1,${groupSymbols}}`, 'g')) ?? []).join('-');
}

/** Undefined when the text is not that many bytes with their checksum. */
export function fromPaper(
  text: string,
  lengthBytes: number,
  label: string,
): Uint8Array | undefined {
  const symbols = paperSymbolsOf(text);
  if (symbols.length !== paperSymbols(lengthBytes)) return undefined;
  let value = 0n;
  for (const symbol of symbols) {
    const digit = alphabet.indexOf(symbol);
    if (digit < 0) return undefined;
    value = (value << 5n) | BigInt(digit);
  }
  const all = Buffer.from(
    value.toString(16).padStart((lengthBytes + checksumBytes) * 2, '0'),
    'hex',
  );
  const bytes = all.subarray(0, lengthBytes);
  const isWhole =
    all.length === lengthBytes + checksumBytes &&
    checksum(bytes, label).equals(all.subarray(lengthBytes));
  return isWhole ? bytes : undefined;
}

/** The symbols that a person wrote, in their one form. */
export function paperSymbolsOf(text: string): string {
  return text.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
}

export function paperSymbols(lengthBytes: number): number {
  return Math.ceil(((lengthBytes + checksumBytes) * 8) / 5);
}

function checksum(bytes: Uint8Array, label: string): Buffer {
  return hash('sha256', Buffer.concat([Buffer.from(label), bytes]), 'buffer').subarray(
    0,
    checksumBytes,
  );
}
