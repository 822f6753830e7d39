const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Throws for bytes that are no UTF-8. A byte order mark stays, so that it is no JSON (RFC 8259 §8.1). */
export function utf8Text(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
