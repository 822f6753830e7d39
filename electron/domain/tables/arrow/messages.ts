/**
 * The framing of Arrow IPC (https://arrow.apache.org/docs/format/Columnar.html): a stream of messages, which the file format wraps
 * between a magic and a footer. Only the metadata of messages is read here; bodies are passed over.
 */
import { Message } from 'apache-arrow';
import { Footer } from 'apache-arrow/ipc/metadata/file';
import { AppError } from '#shared/errors.ts';
import type { TableSource } from '../table.ts';
import { continuation, isArrowFile, maxMetadataBytes } from './magic.ts';
import { checkFooter, readMessage, type MessageFacts, type MessageKind } from './metadata.ts';

export interface FramedMessage {
  readonly kind: MessageKind;
  /** Whole, its length prefix included: bytes `from` to `to` of the file. */
  readonly from: number;
  readonly to: number;
  /** Of a batch; as it claims. */
  readonly rows: number;
}

/** A batch is read whole. */
const maxBodyBytes = 2 ** 30;

/** In the order in which they stand. Throws `corrupt` for what is damaged or cut off. */
export async function* messagesOf(source: TableSource): AsyncGenerator<FramedMessage> {
  const { sizeBytes } = source;
  const isFile = isArrowFile(await source.read(0, 8));
  const end = isFile ? await endOfFile(source) : sizeBytes;
  for (let at = isFile ? 8 : 0; at < end;) {
    const prefix = view(await source.read(at, at + 8));
    if (prefix.byteLength < 4) throw damaged();
    const marked = prefix.getUint32(0, true) === continuation;
    if (marked && prefix.byteLength < 8) throw damaged();
    const metadataBytes = prefix.getInt32(marked ? 4 : 0, true);
    if (metadataBytes === 0) return;
    const metadataFrom = at + (marked ? 8 : 4);
    const bodyFrom = metadataFrom + metadataBytes;
    if (metadataBytes < 0 || metadataBytes > maxMetadataBytes || bodyFrom > end) throw damaged();
    const { kind, bodyBytes, rows } = decode(await source.read(metadataFrom, bodyFrom));
    const to = bodyFrom + bodyBytes;
    if (to > end) throw damaged();
    if (bodyBytes > maxBodyBytes)
      throw new AppError(
        'limit',
        'A record batch of the Arrow file is larger than a gigabyte. Write it with smaller batches.',
      );
    yield { kind, from: at, to, rows };
    at = to;
  }
}

/** The schema as the message that a stream begins with; some writers of files leave it to the footer. */
export async function schemaMessage(source: TableSource): Promise<Uint8Array> {
  for await (const { kind, from, to } of messagesOf(source)) {
    if (kind === 'schema') return source.read(from, to);
    break;
  }
  if (!isArrowFile(await source.read(0, 8))) throw damaged();
  const footer = await source.read(await endOfFile(source), source.sizeBytes - 10);
  try {
    checkFooter(footer);
    const message = Message.encode(Message.from(Footer.decode(footer).schema));
    const padded = Buffer.alloc(8 + Math.ceil(message.length / 8) * 8);
    padded.writeUInt32LE(continuation, 0);
    padded.writeInt32LE(padded.length - 8, 4);
    padded.set(message, 8);
    return padded;
  } catch (error) {
    throw error instanceof AppError ? error : damaged(error);
  }
}

/** Where the footer begins. */
async function endOfFile(source: TableSource): Promise<number> {
  const { sizeBytes } = source;
  const tail = await source.read(Math.max(0, sizeBytes - 10), sizeBytes);
  if (tail.length < 10 || !isArrowFile(tail.subarray(4))) throw damaged();
  const footerBytes = view(tail).getInt32(0, true);
  const end = sizeBytes - 10 - footerBytes;
  if (footerBytes <= 0 || footerBytes > maxMetadataBytes || end < 8) throw damaged();
  return end;
}

function decode(metadata: Uint8Array): MessageFacts {
  try {
    return readMessage(metadata);
  } catch (error) {
    throw error instanceof AppError ? error : damaged(error);
  }
}

export function damaged(cause?: unknown): AppError {
  return new AppError(
    'corrupt',
    'The file cannot be read as Arrow: it is damaged, cut off, or of a kind that is not known here.',
    { cause },
  );
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
