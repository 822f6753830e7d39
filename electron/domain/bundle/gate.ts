/**
 * The gate: open, read once, verify, scan, give the verdict. The caller may store each file in the same pass (`store`), so what
 * was judged is what was stored; nothing the medium does afterwards can change it.
 */
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { AppError, type ErrorCode } from '#shared/errors.ts';
import type {
  Finding,
  InspectReport,
  ModelCard,
  ModelFacts,
  SignatureResult,
} from '#shared/contract/bundles.ts';
import { canonicalBytes } from '#platform/canonical-json.ts';
import type { Content } from '#platform/content.ts';
import { parseCard } from './card.ts';
import { GateBreach } from './containers/breach.ts';
import type { Declared } from './containers/container.ts';
import { openBundle, type OpenBundle } from './containers/open.ts';
import { leftOut, trustedDigests, type FindKnown, type KnownFile } from './known-files.ts';
import { layoutOf, type Layout } from './layouts/layout.ts';
import { goldenCases, pipelineSchema, type GoldenCases, type Pipeline } from './pipeline.ts';
import { gateLimits } from './limits.ts';
import { isModelFile, readFile, wellKnown, type Digested, type ReadFile } from './read-file.ts';
import type { ScanAnswer } from './scan/answer.ts';
import { findingOf, rules, type RuleId } from './rules.ts';
import type { ScanLimits } from './scan/process.ts';
import {
  checkSignatures,
  isOutside,
  isSignatureFile,
  oneSigner,
  type CheckedSignatures,
  type PresentFiles,
  type SignerRule,
} from './signatures/check.ts';
import { presentFiles } from './signatures/digests.ts';
import { signatureFindings, trustRules } from './signatures/findings.ts';
import { nobody, type TrustAnchor } from './signatures/signer.ts';

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

export interface GateOptions<Stored> {
  readonly trust: readonly TrustAnchor[];
  /** One signer, anybody of the trust list, unless told otherwise. */
  readonly signers?: SignerRule | undefined;
  readonly now: Date;
  /** Consumes the content and says what became of it; called for every file, in order. */
  readonly store: (content: Content) => Promise<Stored>;
  /** Content that is here already; asked only for files that a trusted signer lists. */
  readonly known?: FindKnown<Stored> | undefined;
  readonly onBytes?: (count: number) => void;
  readonly signal?: AbortSignal;
  /** Instead of the bounds of the scanner process. */
  readonly scanLimits?: Partial<ScanLimits>;
}

/** Throws `corrupt` for a damaged container and `unsupported` for one with a password; all else is in the report. */
export async function passGate<Stored extends Digested>(
  path: string,
  options: GateOptions<Stored>,
): Promise<GateResult<Stored>> {
  let bundle: OpenBundle | undefined;
  const read: ReadFile<Stored>[] = [];
  let breach: Finding | undefined;
  let models = 0;
  const known = options.known ?? (() => undefined);
  try {
    bundle = await openBundle(path);
    const signed = new Map<string, string>();
    let signedFolder = '';
    for await (const file of bundle.files()) {
      options.signal?.throwIfAborted();
      if (isModelFile(file.path) && (models += 1) > gateLimits.models)
        throw new GateBreach(
          'SR-LIMIT-001',
          file.path,
          `The bundle has more than ${gateLimits.models} models.`,
        );
      const before = known(signed.get(file.path) ?? '');
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
    // A signature counts at the top of all files only, and which folder that is was not known for sure until now.
    const wasTaken = read.some(({ from }) => from !== undefined);
    if (wasTaken && folderOfAll(read, bundle.declared()) !== signedFolder)
      return await passGate(path, { ...options, known: undefined });
  } catch (error) {
    if (!(error instanceof GateBreach)) throw error;
    breach = findingOf(error.ruleId, error.path, error.message);
  }
  const declared = bundle?.declared() ?? { facts: [] };
  const files = inPlace(read, declared);
  if (breach === undefined) {
    const texts = files.filter((file) => isSignatureFile(file.path)).map(({ text }) => text);
    for (const missing of leftOut(files, trustedDigests(texts, options), known))
      files.push(await readKnown(missing.path, missing.known, options));
  }
  const opened = bundle;
  const judged =
    breach !== undefined || opened === undefined
      ? unread(breach, declared)
      : judge(
          files,
          declared,
          await presentFiles(files, {
            ...options,
            reread: async (again) => inPlace(await again(opened.files()), declared),
          }),
          options,
        );
  const name = judged.card?.name ?? bundle?.name ?? basename(path);
  const { golden, pipeline, ...facts } = judged;
  const kept = files.filter(
    (file) => !isSignatureFile(file.path) && !isOutside(file.path, judged.ignorePaths),
  );
  const report = toReport({
    name,
    format: formatOf(bundle, judged.layout),
    files: kept,
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

/** What the file that was read last lists, if it is a signature of a trusted signer: SHA-256 by the paths of the container. */
function justListed(
  read: readonly ReadFile<unknown>[],
  declared: Declared,
  context: Pick<GateOptions<unknown>, 'trust' | 'now'>,
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

interface Judged {
  readonly layout: string | undefined;
  readonly declares: Layout['facts'];
  readonly signature: SignatureResult;
  readonly signatures: CheckedSignatures['all'];
  readonly signers: CheckedSignatures['signers'];
  readonly ignorePaths: readonly string[];
  readonly findings: readonly Finding[];
  readonly model: ModelFacts | undefined;
  readonly card: ModelCard | undefined;
  readonly golden: GoldenCases | undefined;
  readonly pipeline: Pipeline | undefined;
}

/** What can be said of a bundle that the gate stopped reading. */
function unread(breach: Finding | undefined, declared: Declared): Judged {
  const reason = 'The bundle was not read to its end, so its signature was not checked.';
  return {
    layout: declared.layout,
    declares: declared.facts,
    signature: { status: 'absent', ...nobody, reason },
    signatures: [],
    signers: { required: 1, names: [] },
    ignorePaths: [],
    findings: breach === undefined ? [] : [breach],
    model: undefined,
    card: undefined,
    golden: undefined,
    pipeline: undefined,
  };
}

function judge(
  files: readonly ReadFile<unknown>[],
  declared: Declared,
  present: PresentFiles,
  context: Pick<GateOptions<unknown>, 'trust' | 'signers' | 'now'>,
): Judged {
  const rule = context.signers ?? oneSigner;
  const checked = checkSignatures({
    signatures: new Map(
      files.filter(({ path }) => isSignatureFile(path)).map(({ path, text }) => [path, text]),
    ),
    files: present,
    trust: context.trust,
    rule,
    now: context.now,
  });
  const { decisive: signature, ignorePaths } = checked;
  const findings: Finding[] = signatureFindings(checked, rule);

  // What the signature leaves out is not judged, not described by, and not taken in.
  const inside = files.filter(({ path }) => !isOutside(path, ignorePaths));
  const at = (path: string): ReadFile<unknown> | undefined =>
    inside.find((file) => file.path === path);
  // No signature covers another, so weights in one could be changed after the model was signed.
  const sizeByPath = new Map(
    inside.filter(({ path }) => !isSignatureFile(path)).map(({ path, bytes }) => [path, bytes]),
  );
  const pipeline = parseDescription(at(wellKnown.pipeline), pipelineSchema, findings);
  const golden = parseDescription(at(wellKnown.golden), goldenCases, findings);
  const layout = layoutOf(inside, declared);
  const main = pickModel(inside, { pipeline, layout }, findings);
  for (const { path, scan } of inside)
    if (scan !== undefined) findings.push(...scanFindings(path, scan, sizeByPath));
  const cardFile = at(wellKnown.card);
  const card =
    cardFile?.text === undefined
      ? undefined
      : parseCard(Buffer.from(cardFile.text).toString('utf8'));
  if (cardFile !== undefined && card === undefined)
    findings.push(
      findingOf(
        'SR-BUNDLE-004',
        wellKnown.card,
        'It is not a CycloneDX document with a machine-learning model in it.',
      ),
    );
  if (cardFile === undefined)
    findings.push(findingOf('SR-CARD-001', wellKnown.card, 'The bundle does not have it.'));
  if (golden === undefined && at(wellKnown.golden) === undefined)
    findings.push(findingOf('SR-GOLDEN-001', wellKnown.golden, 'The bundle does not have it.'));
  for (const { path, startsWith } of inside) {
    const kind = codeKind(path, startsWith);
    if (kind !== undefined) findings.push(findingOf('SR-BUNDLE-003', path, `It is ${kind}.`));
  }
  const facts = main?.scan?.facts ?? undefined;
  const model =
    main === undefined || facts === undefined
      ? undefined
      : { path: main.path, sizeBytes: main.bytes, ...facts };
  return {
    layout: layout?.layout,
    declares: layout?.facts ?? declared.facts,
    signature,
    signatures: checked.all,
    signers: checked.signers,
    ignorePaths,
    findings: inOrder(findings),
    model,
    card,
    golden,
    pipeline,
  };
}

/** The scanner does not see the other files: whether they hold what the model wants to read is known here. */
function scanFindings(
  path: string,
  { findings, external }: ScanAnswer,
  sizeByPath: ReadonlyMap<string, number>,
): Finding[] {
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  return [
    ...findings.map(({ ruleId, message }) => findingOf(ruleId, path, message)),
    ...external.flatMap(({ location, end }) => {
      const size = sizeByPath.get(folder + location);
      if (size === undefined)
        return findingOf(
          'SR-ONNX-004',
          path,
          'Weights are to be read from a file that is not in the bundle.',
        );
      return end > size
        ? findingOf(
            'SR-ONNX-005',
            path,
            'Weights are to be read from beyond the end of their file.',
          )
        : [];
    }),
  ];
}

function parseDescription<T>(
  file: ReadFile<unknown> | undefined,
  schema: { parse(value: unknown): T },
  findings: Finding[],
): T | undefined {
  if (file === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(Buffer.from(file.text ?? '').toString('utf8')));
  } catch {
    findings.push(
      findingOf(
        'SR-BUNDLE-004',
        file.path,
        'It does not follow its schema (see the bundle format).',
      ),
    );
    return undefined;
  }
}

/** `pipeline.json` has the first word, then the layout; `model.onnx` and a model alone need neither. */
function pickModel<T extends { readonly path: string; readonly scan: unknown }>(
  files: readonly T[],
  by: { readonly pipeline: Pipeline | undefined; readonly layout: Layout | undefined },
  findings: Finding[],
): T | undefined {
  const models = files.filter(({ scan }) => scan !== undefined);
  const pointer = by.pipeline?.model;
  const at = (path: string | undefined): T | undefined => models.find((file) => file.path === path);
  if (pointer !== undefined) {
    if (at(pointer) === undefined)
      findings.push(
        findingOf('SR-BUNDLE-001', pointer, 'The model that pipeline.json names is not there.'),
      );
    return at(pointer);
  }
  if (by.layout?.problem !== undefined) {
    const { ruleId, path, message } = by.layout.problem;
    findings.push(findingOf(ruleId, path, message));
    return undefined;
  }
  const named = at(by.layout?.model) ?? at('model.onnx');
  if (named !== undefined) return named;
  const [first, second] = models;
  if (first === undefined) findings.push(findingOf('SR-BUNDLE-001', '', 'No file ends in .onnx.'));
  else if (second !== undefined)
    findings.push(findingOf('SR-BUNDLE-002', first.path, `There are ${models.length} models.`));
  return first;
}

/** Protocols 2 to 5; older pickles have no mark of their own. */
const picklePrefixes = ['\u0080\u0002', '\u0080\u0003', '\u0080\u0004', '\u0080\u0005'];

/** Files that could run as programs elsewhere, by content and by name. */
function codeKind(path: string, startsWith: string): string | undefined {
  if (startsWith.startsWith('\u007fELF')) return 'a Linux program or library';
  if (startsWith.startsWith('MZ')) return 'a Windows program or library';
  if (/^[\xce\xcf]\xfa\xed\xfe/.test(startsWith)) return 'a macOS program or library';
  if (startsWith.startsWith('#!')) return 'a script';
  if (
    picklePrefixes.some((prefix) => startsWith.startsWith(prefix)) ||
    /\.(pkl|pickle|pt|pth|joblib|npy|dill)$/i.test(path)
  )
    return 'a Python pickle, which runs code when it is loaded';
  if (/\.(py|pyc|sh|bat|cmd|ps1|js|jar|so|dll|dylib|exe)$/i.test(path)) return 'program code';
  return undefined;
}

function inOrder(findings: readonly Finding[]): Finding[] {
  const rank = { error: 0, warning: 1, note: 2 };
  return findings.toSorted(
    (a, b) =>
      rank[a.level] - rank[b.level] || (a.ruleId < b.ruleId ? -1 : a.ruleId > b.ruleId ? 1 : 0),
  );
}

function toReport(input: {
  readonly name: string;
  readonly format: string;
  readonly files: readonly ReadFile<unknown>[];
  readonly facts: Omit<Judged, 'golden' | 'pipeline' | 'layout'>;
  readonly goldenCases: number;
}): InspectReport {
  const { files, facts } = input;
  const { signature, signatures, signers, findings, model, card, declares } = facts;
  const listed = files
    .map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 }))
    .toSorted((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
  const errors = findings.filter(({ level }) => level === 'error');
  const onlyTrust = errors.every(({ ruleId }) => trustRules.includes(ruleId));
  const [worst] = errors;
  return {
    name: input.name,
    format: input.format,
    manifestDigest: manifestDigest(listed),
    totalBytes: listed.reduce((sum, { bytes }) => sum + bytes, 0),
    files: listed,
    signature,
    signatures: [...signatures],
    signers,
    findings: [...findings],
    verdict: errors.length === 0 ? 'accept' : 'refuse',
    overridable: errors.length > 0 && onlyTrust,
    summary:
      worst === undefined
        ? `${signers.names.length > 1 ? `Signed by ${signers.names.join(' and ')}, who are trusted here.` : signature.reason} Nothing was found that speaks against it.`
        : `${worst.title}: ${worst.message}`,
    model: model ?? null,
    card: card ?? null,
    declares: [...declares],
    goldenCases: input.goldenCases,
    reused: files.flatMap(({ path, from }) => (from === undefined ? [] : [{ path, from }])),
    hasReference: listed.some(({ path }) => path === wellKnown.reference),
  };
}

/** Identity of a version: SHA-256 over the canonical JSON of its files, sorted by path, `model.sig` left out. */
function manifestDigest(
  files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[],
): string {
  return `sha256:${createHash('sha256').update(canonicalBytes(files)).digest('hex')}`;
}

function refusalOf({ verdict, findings, summary }: InspectReport): AppError | undefined {
  if (verdict === 'accept') return undefined;
  const errors = findings.filter(({ level }) => level === 'error');
  // What is wrong with the content says more than that nobody signed it.
  const telling =
    errors.find(({ ruleId }) => !ruleId.startsWith('SR-SIG')) ??
    errors.find(({ ruleId }) => ruleId === 'SR-SIG-003') ??
    errors[0];
  const code: ErrorCode = telling === undefined ? 'refused' : rules[telling.ruleId as RuleId].code;
  const message =
    telling === undefined ? summary : `${telling.title}: ${telling.message} ${telling.help}`;
  return new AppError(
    code === 'unsupported' ? 'refused' : code,
    `The bundle is refused. ${message}`,
    { details: { findings: errors.slice(0, 20).map(({ ruleId, path }) => ({ ruleId, path })) } },
  );
}
