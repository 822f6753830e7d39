/**
 * The gate: open, read once, verify, scan, give the verdict. The caller may store each file in the same pass (`store`), so what
 * was judged is what was stored; nothing the medium does afterwards can change it.
 */
import { basename } from 'node:path';
import type { AppError } from '#shared/errors.ts';
import type { InspectReport } from '#shared/contract/bundles.ts';
import type { Content } from '#platform/content.ts';
import { GateBreach } from './containers/breach.ts';
import type { Declared } from './containers/container.ts';
import { openBundle, type OpenBundle } from './containers/open.ts';
import { judge, unread, type JudgeContext, type Judged } from './judge.ts';
import { leftOut, trustedDigests, type FindKnown, type KnownFile } from './known-files.ts';
import { packedFiles } from './packed-files.ts';
import type { GoldenCases } from './golden.ts';
import type { Pipeline } from '#domain/pipeline/index.ts';
import { gateLimits } from './limits.ts';
import { isModelFile, readFile, type Digested, type ReadFile } from './read-file.ts';
import { refusalOf, toReport } from './report.ts';
import type { ScanLimits } from './scan/process.ts';
import { isOutside, isSignatureFile } from './signatures/check.ts';
import { presentFiles } from './signatures/digests.ts';

export interface PassedFile<Stored> {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly stored: Stored;
}

export interface GateResult<Stored> {
  readonly report: InspectReport;
  /** All files that were read, signatures included, with what the caller's `store` gave. */
  readonly files: readonly PassedFile<Stored>[];
  readonly golden: GoldenCases | undefined;
  readonly pipeline: Pipeline | undefined;
  /** Why an import must end, as the error that it ends with; undefined when the verdict is `accept`. */
  readonly refusal: AppError | undefined;
}

export interface GateOptions<Stored> extends JudgeContext {
  /** Consumes the content and says what became of it; called for every file, in order. */
  readonly store: (content: Content) => Promise<Stored>;
  /** Content that is here already; asked only for files that a trusted signer lists. */
  readonly known?: FindKnown<Stored> | undefined;
  readonly onBytes?: (count: number) => void;
  readonly signal?: AbortSignal;
  /** Instead of the bounds of the scanner process. */
  readonly scanLimits?: Partial<ScanLimits>;
}

/** Throws when the medium cannot be read any more, and for what is neither a file nor a folder; all else is in the report. */
export async function passGate<Stored extends Digested>(
  path: string,
  options: GateOptions<Stored>,
): Promise<GateResult<Stored>> {
  const known = options.known ?? (() => undefined);
  const read: ReadFile<Stored>[] = [];
  let bundle: OpenBundle | undefined;
  let files: readonly ReadFile<Stored>[] = [];
  let judged: Judged;
  try {
    bundle = await openBundle(path);
    const opened = bundle;
    const signedFolder = await readAll(opened, read, options);
    // A signature counts at the top of all files only, and which folder that is was not known for sure until now.
    const wasTaken = read.some(({ from }) => from !== undefined);
    if (wasTaken && folderOfAll(read, opened.declared()) !== signedFolder)
      return await passGate(path, { ...options, known: undefined });
    const declared = opened.declared();
    const whole = inPlace(read, declared);
    const texts = whole.filter((file) => isSignatureFile(file.path)).map(({ text }) => text);
    for (const missing of leftOut(whole, trustedDigests(texts, options), known))
      whole.push(await readKnown(missing.path, missing.known, options));
    const present = await presentFiles(whole, {
      ...options,
      reread: async (again) => inPlace(await again(opened.files()), declared),
    });
    files = whole;
    judged = judge(files, declared, present, options);
  } catch (error) {
    if (!(error instanceof GateBreach)) throw error;
    const declared = bundle?.declared() ?? { facts: [] };
    files = inPlace(read, declared);
    judged = unread(error, declared);
  }
  const { golden, pipeline, ...facts } = judged;
  const kept = files.filter(
    (file) => !isSignatureFile(file.path) && !isOutside(file.path, judged.ignorePaths),
  );
  const report = toReport({
    name: judged.card?.name ?? bundle?.name ?? basename(path),
    format: formatOf(bundle, judged.layout),
    files: kept,
    packedIn: judged.wasRead ? [] : await packedFiles(bundle?.mediumPaths ?? [path], options),
    facts,
    goldenCases: golden?.cases.length ?? 0,
  });
  return {
    report,
    files: files
      .filter((file) => isSignatureFile(file.path) || kept.includes(file))
      .map(({ path: at, bytes, sha256, stored }) => ({ path: at, bytes, sha256, stored })),
    golden,
    pipeline,
    refusal: refusalOf(report),
  };
}

/** The one pass, into `read`. Gives the folder that the first signature was taken to be at the top of. */
async function readAll<Stored extends Digested>(
  bundle: OpenBundle,
  read: ReadFile<Stored>[],
  options: GateOptions<Stored>,
): Promise<string> {
  const signed = new Map<string, string>();
  let signedFolder = '';
  let models = 0;
  for await (const file of bundle.files()) {
    options.signal?.throwIfAborted();
    if (isModelFile(file.path) && (models += 1) > gateLimits.models)
      throw new GateBreach(
        'SR-LIMIT-001',
        file.path,
        `The bundle has more than ${gateLimits.models} models.`,
      );
    const before = options.known?.(signed.get(file.path) ?? '');
    read.push(
      before?.from === 'interrupted'
        ? await readKnown(file.path, before, options)
        : await readFile(file, options),
    );
    for (const [at, sha256] of justListed(read, bundle.declared(), options)) {
      if (signed.size === 0) signedFolder = folderOfAll(read, bundle.declared());
      signed.set(at, sha256);
    }
  }
  return signedFolder;
}

/** What the file that was read last lists, if it is a signature of a trusted signer: SHA-256 by the paths of the container. */
function justListed(
  read: readonly ReadFile<unknown>[],
  declared: Declared,
  context: JudgeContext,
): readonly (readonly [string, string])[] {
  const last = read.at(-1);
  if (last?.path.endsWith('.sig') !== true) return [];
  const folder = folderOfAll(read, declared);
  if (!isSignatureFile(last.path.slice(folder.length))) return [];
  return [...trustedDigests([last.text], context)].map(([at, sha256]) => [folder + at, sha256]);
}

function readKnown<Stored extends Digested>(
  path: string,
  { from, content, store }: KnownFile<Stored>,
  options: GateOptions<Stored>,
): Promise<ReadFile<Stored>> {
  options.signal?.throwIfAborted();
  return readFile({ path, content: content() }, { ...options, store, from });
}

/** What it is arranged as, and what that is packed in; for a folder the first says all. */
function formatOf(bundle: OpenBundle | undefined, layout: string | undefined): string {
  const container = bundle?.format ?? 'archive';
  if (layout === undefined) return container;
  return container === 'directory' ? layout : `${layout}, ${container}`;
}

/** An archive of one folder is that folder; an image says itself where its files are. */
function inPlace<T extends { readonly path: string }>(
  files: readonly T[],
  declared: Declared,
): T[] {
  const folder = folderOfAll(files, declared);
  return files.map((file) => ({ ...file, path: file.path.slice(folder.length) }));
}

function folderOfAll(files: readonly { readonly path: string }[], { layout }: Declared): string {
  const [first] = files;
  const folder = first?.path.slice(0, first.path.indexOf('/') + 1) ?? '';
  const isPassedOver = layout === undefined && files.every(({ path }) => path.startsWith(folder));
  return isPassedOver ? folder : '';
}
