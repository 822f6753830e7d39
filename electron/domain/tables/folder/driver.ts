/**
 * A folder of images or of texts: one row per entry, in the order of the bytes of their names, with a column `file` (the name) and a
 * column `image` (its bytes) or `text` (its text, UTF-8). What is no plain file is a bad row. FORMAT.md says what its digest is.
 */
import { isUtf8 } from 'node:buffer';
import { createHash, hash } from 'node:crypto';
import { AppError } from '#shared/errors.ts';
import { changedInput } from '../changed.ts';
import type {
  Chunk,
  FolderFile,
  ReadOptions,
  RejectCode,
  Segment,
  TableDriver,
  TableInfo,
  TableReader,
} from '../table.ts';
import { createColumn, createMarks, type Value } from '../values.ts';
import { digestLine, fileOf } from './digest.ts';
import { entriesOf, folderOf, isOpened, openEntry, readEntry } from './entries.ts';
import { isImage } from './magic.ts';

const sampled = 20;
const segmentFiles = 64;
const segmentBytes = 64 * 2 ** 20;
const maxBytes = { images: 64 * 2 ** 20, texts: 2 ** 20 } as const;

export const folderDriver: TableDriver = {
  async describe(source) {
    const folder = folderOf(source);
    const all = await entriesOf(folder);
    const entries = all.filter(isOpened);
    if (entries.length === 0)
      throw new AppError('corrupt', 'The folder has no files, so there are no rows.');
    const firsts = await Promise.all(
      entries.slice(0, sampled).map(({ name }) => firstBytes(folder, name)),
    );
    const images = firsts.filter(isImage).length;
    if (images === 0 && firsts.every((bytes) => bytes.includes(0)))
      throw new AppError(
        'corrupt',
        'The first files of the folder are neither images (JPEG, PNG, WebP, TIFF, BMP, GIF) nor texts.',
      );
    const format = 2 * images >= firsts.length ? 'images' : 'texts';
    return {
      format,
      columns: [
        { name: 'file', type: 'text' },
        format === 'images' ? { name: 'image', type: 'bytes' } : { name: 'text', type: 'text' },
      ],
      dialect: undefined,
      bodyFrom: 0,
      extent: all.length,
    };
  },

  async *split(source) {
    const folder = folderOf(source);
    const digest = createHash('sha256');
    let files: FolderFile[] = [];
    let sizeBytes = 0;
    let index = 0;
    let from = 0;
    const close = (): Segment => {
      const to = from + files.length;
      const segment = {
        index,
        firstRow: from + 1,
        rows: files.length,
        from,
        to,
        sha256: digest.copy().digest('hex'),
        files,
      };
      index += 1;
      from = to;
      files = [];
      sizeBytes = 0;
      return segment;
    };
    for (const entry of await entriesOf(folder)) {
      const file = await fileOf(folder, entry);
      digest.update(digestLine(file));
      files.push(file);
      sizeBytes += file.sizeBytes;
      if (files.length === segmentFiles || sizeBytes >= segmentBytes) yield close();
    }
    if (files.length > 0) yield close();
    return digest.digest('hex');
  },

  open: (source, info, options) =>
    Promise.resolve(openFolderReader(folderOf(source), info, options)),
};

async function firstBytes(folder: string, name: string): Promise<Uint8Array> {
  await using file = await openEntry(folder, name);
  const bytes = Buffer.alloc(512);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
  return bytes.subarray(0, bytesRead);
}

function openFolderReader(folder: string, info: TableInfo, options: ReadOptions): TableReader {
  const { wanted, rows: chunkRows, raw } = options;
  const limit = info.format === 'images' ? maxBytes.images : maxBytes.texts;

  async function* read(segment: Segment): AsyncGenerator<Chunk> {
    const files = segment.files ?? [];
    for (let from = 0; from < files.length; from += chunkRows)
      yield await readChunk(files.slice(from, from + chunkRows), segment.firstRow + from);
  }

  async function readChunk(files: readonly FolderFile[], firstRow: number): Promise<Chunk> {
    const builders = wanted.map((want) => createColumn(want, files.length));
    const marks = createMarks();
    for (const [row, file] of files.entries()) {
      const values = await valuesOf(file);
      if (typeof values === 'string') {
        marks.mark(row, null, values);
        continue;
      }
      for (const [at, { name }] of wanted.entries()) {
        const code = builders[at]?.put(row, values[name] ?? null);
        if (code !== undefined) marks.mark(row, name, code);
      }
    }
    return {
      firstRow,
      rows: files.length,
      columns: builders.map((builder) => builder.column(files.length)),
      bad: marks.bad(),
      raw: raw ? files.map(({ name }) => [name]) : undefined,
    };
  }

  async function valuesOf(file: FolderFile): Promise<Readonly<Record<string, Value>> | RejectCode> {
    if (file.sha256 === '') return file.name.includes('\uFFFD') ? 'encoding' : 'file';
    if (file.sizeBytes > limit) return 'length';
    const bytes = await readEntry(folder, file);
    if (hash('sha256', bytes) !== file.sha256) throw changedInput();
    if (info.format === 'images') return { file: file.name, image: bytes };
    if (!isUtf8(bytes)) return 'encoding';
    return { file: file.name, text: new TextDecoder().decode(bytes) };
  }

  return { read, close: () => Promise.resolve() };
}
