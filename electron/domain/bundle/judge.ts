/** What the gate makes of the files that it read: who signed, what was found in them, which one is the model. */
import { z } from 'zod';
import type { Finding, ModelCard, ModelFacts, SignatureResult } from '#shared/contract/bundles.ts';
import { pipelineFaults, pipelineSchema, type Pipeline } from '#domain/pipeline/index.ts';
import { printable } from '#platform/printable.ts';
import { utf8Text } from '#platform/utf8.ts';
import { parseCard } from './card.ts';
import type { GateBreach } from './containers/breach.ts';
import type { Declared } from './containers/container.ts';
import { layoutOf, type Layout } from './layouts/layout.ts';
import { goldenCases, type GoldenCases } from './golden.ts';
import { wellKnown, type ReadFile } from './read-file.ts';
import { findingOf } from './rules.ts';
import type { ScanAnswer } from './scan/answer.ts';
import {
  checkSignatures,
  isOutside,
  isSignatureFile,
  oneSigner,
  type CheckedSignatures,
  type PresentFiles,
  type SignerRule,
} from './signatures/check.ts';
import { signatureFindings } from './signatures/findings.ts';
import { nobody, type TrustAnchor } from './signatures/signer.ts';

export interface JudgeContext {
  readonly trust: readonly TrustAnchor[];
  /** One signer, anybody of the trust list, unless told otherwise. */
  readonly signers?: SignerRule | undefined;
  readonly now: Date;
  /** Path of the model to take, in place of the one that the bundle means. */
  readonly model?: string | undefined;
}

export interface Judged {
  /** To its end. If not, the signatures are not judged. */
  readonly wasRead: boolean;
  readonly layout: string | undefined;
  readonly declares: Layout['facts'];
  readonly signature: SignatureResult;
  readonly signatures: CheckedSignatures['all'];
  readonly signers: CheckedSignatures['signers'];
  readonly ignorePaths: readonly string[];
  readonly findings: readonly Finding[];
  readonly model: ModelFacts | undefined;
  /** Paths of all models that are there. */
  readonly models: readonly string[];
  readonly card: ModelCard | undefined;
  readonly golden: GoldenCases | undefined;
  readonly pipeline: Pipeline | undefined;
}

/** What can be said of a bundle that the gate stopped reading. */
export function unread({ ruleId, path, message }: GateBreach, declared: Declared): Judged {
  const reason = 'The bundle was not read to its end, so its signature was not checked.';
  return {
    wasRead: false,
    layout: declared.layout,
    declares: declared.facts,
    signature: { status: 'absent', ...nobody, reason },
    signatures: [],
    signers: { required: 1, names: [] },
    ignorePaths: [],
    findings: [findingOf(ruleId, path, message)],
    model: undefined,
    models: [],
    card: undefined,
    golden: undefined,
    pipeline: undefined,
  };
}

export function judge(
  files: readonly ReadFile<unknown>[],
  declared: Declared,
  present: PresentFiles,
  context: JudgeContext,
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
  const models = inside.filter(({ scan }) => scan !== undefined);
  const meant = meantModel(models, { pipeline, layout });
  const picked = models.find(({ path }) => path === context.model);
  const main = context.model === undefined ? meant.model : picked;
  // What describes one model says nothing of another.
  const isPicked = picked !== undefined && (meant.problem !== undefined || picked !== meant.model);
  if (context.model !== undefined && picked === undefined)
    findings.push(
      models.length === 0
        ? findingOf('SR-BUNDLE-001', context.model, 'The model that was picked is not there.')
        : findingOf(
            'SR-BUNDLE-002',
            context.model,
            `The model that was picked is not there. There are: ${listed(models)}.`,
          ),
    );
  else if (picked === undefined && meant.problem !== undefined) findings.push(meant.problem);
  for (const { path, scan } of inside)
    if (scan !== undefined) findings.push(...scanFindings(path, scan, sizeByPath));
  const cardFile = at(wellKnown.card);
  const card = cardFile?.text === undefined ? undefined : parseCard(cardFile.text);
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
  if (pipeline !== undefined && facts !== undefined && !isPicked)
    for (const fault of pipelineFaults(pipeline, {
      inputs: facts.inputs.map(({ name }) => name),
      outputs: facts.outputs.map(({ name }) => name),
      paths: new Set(inside.map(({ path }) => path)),
    }))
      findings.push(findingOf('SR-BUNDLE-009', wellKnown.pipeline, fault));
  const model =
    main === undefined || facts === undefined
      ? undefined
      : {
          path: main.path,
          sizeBytes: main.bytes,
          ...facts,
          ...(isPicked ? { isPicked } : {}),
        };
  return {
    wasRead: true,
    layout: layout?.layout,
    declares: layout?.facts ?? declared.facts,
    signature,
    signatures: checked.all,
    signers: checked.signers,
    ignorePaths,
    findings: inOrder(findings),
    model,
    models: models.map(({ path }) => path),
    card,
    golden: isPicked ? undefined : golden,
    pipeline: isPicked ? undefined : pipeline,
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
    return schema.parse(JSON.parse(utf8Text(file.text ?? new Uint8Array())));
  } catch (error) {
    findings.push(
      findingOf(
        'SR-BUNDLE-004',
        file.path,
        `It does not follow its schema${placeOf(error)} (see the bundle format).`,
      ),
    );
    return undefined;
  }
}

/** Where in the document the first fault is. What stands there is not quoted. */
function placeOf(error: unknown): string {
  const path = error instanceof z.ZodError ? error.issues[0]?.path : undefined;
  const place = path?.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`));
  return place === undefined || place.length === 0
    ? ''
    : `, at ${printable(place.join('').replace(/^\./, '')).slice(0, 200)}`;
}

interface Meant<T> {
  readonly model: T | undefined;
  /** Why that is not for sure. */
  readonly problem?: Finding;
}

/** `pipeline.json` has the first word, then the layout; `model.onnx` and a model alone need neither. */
function meantModel<T extends { readonly path: string }>(
  models: readonly T[],
  {
    pipeline,
    layout,
  }: { readonly pipeline: Pipeline | undefined; readonly layout: Layout | undefined },
): Meant<T> {
  const pointer = pipeline?.model;
  const at = (path: string | undefined): T | undefined => models.find((file) => file.path === path);
  if (pointer !== undefined) {
    const model = at(pointer);
    return model === undefined
      ? {
          model,
          problem: findingOf(
            'SR-BUNDLE-001',
            pointer,
            'The model that pipeline.json names is not there.',
          ),
        }
      : { model };
  }
  if (layout?.problem !== undefined) {
    const { ruleId, path, message } = layout.problem;
    return { model: undefined, problem: findingOf(ruleId, path, message) };
  }
  const named = at(layout?.model) ?? at('model.onnx');
  const [first, second] = models;
  if (named !== undefined || second === undefined)
    return named === undefined && first === undefined
      ? {
          model: undefined,
          problem: findingOf('SR-BUNDLE-001', '', 'No file ends in .onnx.'),
        }
      : { model: named ?? first };
  return {
    model: first,
    problem: findingOf(
      'SR-BUNDLE-002',
      first?.path ?? '',
      `There are ${models.length} models: ${listed(models)}.`,
    ),
  };
}

function listed(models: readonly { readonly path: string }[]): string {
  const shown = models.slice(0, 10).map(({ path }) => path.slice(0, 100));
  return [...shown, ...(models.length > 10 ? ['…'] : [])].join(', ');
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
