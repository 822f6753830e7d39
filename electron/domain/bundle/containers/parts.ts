/**
 * An archive in parts: `NAME.part000`, `NAME.part001`, … (as Zarf and most splitters write them) or `NAME.001`, `NAME.002`, …
 * The parts are one after the other one archive. A list of digests may come with them, and is then checked before anything
 * else is read, so that the part that is wrong can be named and only it has to be copied again:
 *   - `NAME.part000` as Zarf writes it: JSON with the number of parts, all bytes, and the SHA-256 of the whole;
 *   - `NAME.sha256`: lines of `sha256sum`, one for each part.
 * Names of letters (`xaa`, `.aa`) are not taken: nothing tells them from other files.
 */
import { createHash } from 'node:crypto';
import { lstat, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { gateLimits } from '../limits.ts';
import { GateBreach } from './breach.ts';
import { openBytes } from './byte-source.ts';
import { printable } from './names.ts';

export interface Parts {
  /** Name of the archive that the parts make up. */
  readonly base: string;
  /** Full paths of the parts with content, in order. */
  readonly paths: readonly string[];
  readonly header: { readonly path: string; readonly said: ZarfHeader } | undefined;
  readonly digests: string | undefined;
}

/** Base name and number, of a name that is a part of something. */
export function partOf(name: string): { readonly base: string; readonly at: number } | undefined {
  const match = /^(.+)\.(?:part(\d{2,6})|(\d{3}))$/.exec(name);
  return match === null
    ? undefined
    : { base: match[1] ?? '', at: Number(match[2] ?? match[3] ?? 0) };
}

/** `Count` does not count the header itself. Older versions wrote the names in lower case. */
const zarfHeader = z
  .record(z.string(), z.unknown())
  .transform((object) =>
    Object.fromEntries(Object.entries(object).map(([key, value]) => [key.toLowerCase(), value])),
  )
  .pipe(
    z.object({
      sha256sum: z.string().regex(/^[0-9a-f]{64}$/),
      bytes: z.int().nonnegative(),
      count: z.int().positive(),
    }),
  );
type ZarfHeader = z.infer<typeof zarfHeader>;

/** All parts of the archive that the file is a part of; undefined for a file that is none. */
export async function findParts(path: string): Promise<Parts | undefined> {
  const own = partOf(basename(path));
  if (own === undefined) return undefined;
  const folder = dirname(path);
  const names = await readdir(folder);
  const pathByNumber = new Map<number, string>();
  for (const name of names) {
    const part = partOf(name);
    if (part?.base !== own.base) continue;
    if (pathByNumber.has(part.at)) throw breach(name, 'The archive has this part twice.');
    pathByNumber.set(part.at, join(folder, name));
    if (pathByNumber.size > gateLimits.parts)
      throw new GateBreach(
        'SR-LIMIT-001',
        printable(own.base),
        `The archive has more than ${gateLimits.parts} parts.`,
      );
  }
  const zero = pathByNumber.get(0);
  const said = zero === undefined ? undefined : await readHeader(zero);
  const first = zero === undefined || said !== undefined ? 1 : 0;
  const last = said?.count ?? Math.max(...pathByNumber.keys());
  const paths: string[] = [];
  for (let at = first; at <= last; at += 1) {
    const found = pathByNumber.get(at);
    if (found === undefined) {
      const name = basename(path).replace(/\d+$/, (digits) =>
        String(at).padStart(digits.length, '0'),
      );
      throw breach(
        name,
        said === undefined
          ? 'This part is missing: there are later ones.'
          : `This part is missing: the archive has ${said.count}.`,
      );
    }
    paths.push(found);
  }
  const more = [...pathByNumber.keys()].find((at) => at > last);
  if (more !== undefined)
    throw breach(
      basename(pathByNumber.get(more) ?? ''),
      `This part is too many: the archive has ${last}.`,
    );
  return {
    base: own.base,
    paths,
    header: zero === undefined || said === undefined ? undefined : { path: zero, said },
    digests: names.includes(`${own.base}.sha256`) ? join(folder, `${own.base}.sha256`) : undefined,
  };
}

/** Refuses links, and reads all parts once, if there is anything to compare them with. */
export async function checkParts({ paths, header, digests }: Parts): Promise<void> {
  for (const path of paths)
    if ((await lstat(path)).isSymbolicLink())
      throw new GateBreach('SR-PATH-002', printable(basename(path)), 'The part is a link.');
  if (header === undefined && digests === undefined) return;
  const expected = digests === undefined ? new Map<string, string>() : await readDigests(digests);
  const whole = createHash('sha256');
  let bytes = 0;
  for (const path of paths) {
    const part = createHash('sha256');
    await using source = await openBytes([path]);
    for await (const chunk of source.stream() as AsyncIterable<Uint8Array>) {
      part.update(chunk);
      whole.update(chunk);
      bytes += chunk.length;
    }
    const name = basename(path);
    const digest = part.digest('hex');
    const owner = [...expected].find(([, sum]) => sum === digest)?.[0];
    if (expected.size > 0 && expected.get(name) !== digest)
      throw breach(
        name,
        owner === undefined
          ? `This part is not as ${basename(digests ?? '')} lists it. The other parts can stay; copy this one again.`
          : `The parts are not in order: this is the content of ${printable(owner)}.`,
      );
  }
  if (header === undefined) return;
  if (bytes !== header.said.bytes || whole.digest('hex') !== header.said.sha256sum)
    throw breach(
      basename(header.path),
      'The parts together are not what the header says: one is damaged or they are not in order. Without a list of digests for each part, all must be copied again.',
    );
}

async function readHeader(path: string): Promise<ZarfHeader | undefined> {
  await using source = await openBytes([path]);
  // A part with content is larger than any header.
  if (source.sizeBytes > 4096) return undefined;
  try {
    return zarfHeader.parse(JSON.parse((await source.read(0, 4096)).toString('utf8')));
  } catch {
    return undefined; // content, and no header
  }
}

async function readDigests(path: string): Promise<ReadonlyMap<string, string>> {
  await using source = await openBytes([path]);
  if (source.sizeBytes > gateLimits.manifestBytes)
    throw new GateBreach('SR-LIMIT-001', basename(path), 'The list of digests is too long.');
  const text = (await source.read(0, source.sizeBytes)).toString('utf8');
  const lines = text.split(/\r?\n/).filter((line) => line !== '');
  return new Map(
    lines.map((line) => {
      const match = /^([0-9a-f]{64}) [ *](?:\.\/)?(.+)$/.exec(line);
      if (match === null)
        throw breach(basename(path), 'A line of it is not as sha256sum writes them.');
      return [match[2] ?? '', match[1] ?? ''];
    }),
  );
}

function breach(name: string, message: string): GateBreach {
  return new GateBreach('SR-PART-001', printable(name), message);
}
