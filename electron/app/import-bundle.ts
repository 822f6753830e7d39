/** Import: one pass through the gate into the vault, first contact on the bytes that were stored, then all rows at once. */
import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { AppError } from '#shared/errors.ts';
import type {
  FirstContact,
  ImportResult,
  InspectReport,
  ModelFacts,
  OverrideMark,
} from '#shared/contract/bundles.ts';
import { approvers } from '#shared/roles.ts';
import type { InputOf } from '#shared/rpc.ts';
import type { contract } from '#shared/contract/index.ts';
import type { Clock } from '#platform/clock.ts';
import { step } from '#platform/steps.ts';
import { passGate, signVerdict, wellKnown, type GateResult } from '#domain/bundle/index.ts';
import type { Inference } from '#domain/inference/index.ts';
import type { Profile } from '#domain/monitoring/index.ts';
import type { NewVerdict } from '#domain/registry/index.ts';
import type { StagedObject } from '#domain/vault/index.ts';
import type { ActFacts } from './act-facts.ts';
import type { CallContext } from './handler.ts';
import { isMediumGone, keepInterrupted, knownForImport } from './known-files.ts';
import { modelFilesOf } from './model-access.ts';
import type { OpenVaultState } from './open-state.ts';
import type { Sessions } from './sessions.ts';

interface ImportDeps {
  readonly clock: Clock;
  /** Of this program, for the verdict. */
  readonly version: string;
  readonly inference: Inference;
  readonly sessions: Pick<Sessions, 'checkPassword'>;
}

type ImportInput = Omit<InputOf<typeof contract.bundles.import>, 'source'> & {
  readonly path: string;
};

export async function importBundle(
  context: CallContext,
  input: ImportInput,
  deps: ImportDeps,
): Promise<ImportResult> {
  const opened = context.open();
  const { vault, policy } = opened;
  const second =
    input.override === undefined
      ? undefined
      : await checkOverride(opened, input.override, deps.sessions);
  const facts = await stat(input.path);
  if (facts.isFile()) await vault.objects.requireSpace(facts.size);
  const staged: StagedObject[] = [];
  try {
    let done = 0;
    const gate = await passGate(input.path, {
      trust: opened.trust.anchors(),
      signers: policy.read().signers,
      model: input.model,
      now: deps.clock(),
      signal: context.signal,
      onBytes: (count) => {
        done += count;
        const total = facts.isFile() ? { total: Math.max(facts.size, done) } : {};
        context.report({ step: 'Verifying and storing', done, ...total, unit: 'bytes' });
      },
      known: knownForImport(opened, { staged, signal: context.signal }),
      store: async (source) => {
        const object = await vault.objects.stage({ source, signal: context.signal });
        staged.push(object);
        return object;
      },
    });
    const { report } = gate;
    const overridden =
      report.verdict === 'refuse' &&
      report.overridable &&
      input.override !== undefined &&
      policy.read().unsigned === 'override';
    context.note({ details: importDetails(report, overridden) });
    if (gate.refusal !== undefined && !overridden) {
      keepRefusal(context, report, deps);
      throw gate.refusal;
    }
    if (report.model === null) throw new AppError('refused', 'The bundle has no model.');
    const override = overridden
      ? { by: second ?? null, reason: input.override?.reason ?? null }
      : undefined;
    const judged = { ...report, model: report.model };
    const checked = await contact(context, {
      gate,
      model: judged.model,
      inference: deps.inference,
    });
    return await store(
      context,
      {
        gate,
        report: judged,
        override,
        verdict: judgeAs(context, report, override, deps),
        ...checked,
        name: input.name,
        now: deps.clock(),
      },
      staged,
    );
  } catch (error) {
    // What was read whole before the medium went is kept for the next try of this session.
    if (isMediumGone(error)) keepInterrupted(opened, staged.splice(0));
    throw error;
  } finally {
    // What was committed is no longer in the staging folder; the rest goes.
    await vault.objects.discard(staged);
  }
}

/** A bundle that stays out leaves its verdict: what was judged, and why not. */
function keepRefusal(context: CallContext, report: InspectReport, deps: ImportDeps): void {
  const { verdict, objects } = judgeAs(context, report, undefined, deps);
  context.open().registry.addRefusal(verdict);
  step('import: verdict of a refusal kept');
  context.note({ objects });
}

/** The verdict to keep, and its digests for the log: entries hold no payloads. */
function judgeAs(
  context: CallContext,
  report: InspectReport,
  override: OverrideMark | undefined,
  deps: ImportDeps,
): { readonly verdict: NewVerdict; readonly objects: NonNullable<ActFacts['objects']> } {
  const { log, policy } = context.open();
  const decision =
    override !== undefined ? 'overridden' : report.verdict === 'accept' ? 'accepted' : 'refused';
  const signed = signVerdict(report, {
    decision,
    policy: policy.read(),
    now: deps.clock(),
    version: deps.version,
    verifierKey: log.head().verifierKey,
    keyHistory: log.keyHistory(),
    sign: log.sign,
  });
  const { svr, sarif, svrDigest, sarifDigest } = signed;
  return {
    verdict: {
      logIndex: context.logIndex,
      decision,
      signatures: report.signatures,
      override,
      svr,
      sarif,
    },
    objects: [
      { type: 'verdict', id: 'svr.dsse.json', digest: svrDigest },
      { type: 'findings', id: 'findings.sarif', digest: sarifDigest },
    ],
  };
}

/** The name of the second person, when the policy and their role let them take the responsibility. */
async function checkOverride(
  opened: OpenVaultState,
  override: NonNullable<ImportInput['override']>,
  sessions: ImportDeps['sessions'],
): Promise<string> {
  if (opened.policy.read().unsigned !== 'override') {
    throw new AppError(
      'forbidden',
      'The policy of this vault does not let anybody take in what nobody trusted has signed. An administrator can change the policy.',
    );
  }
  const second = await sessions.checkPassword(override.user, override.password);
  if (second.name === opened.session.user)
    throw new AppError('forbidden', 'The second person must be somebody else than you.');
  if (!approvers.includes(second.role))
    throw new AppError(
      'forbidden',
      `The second person has the role ${second.role}; it takes an approver or an administrator.`,
    );
  return second.name;
}

function importDetails(report: InspectReport, overridden: boolean): Record<string, unknown> {
  const count = (level: string): number =>
    report.findings.filter((finding) => finding.level === level).length;
  return {
    signature: report.signature.status,
    signer: report.signature.signer?.slice(0, 200) ?? null,
    findings: { error: count('error'), warning: count('warning'), note: count('note') },
    overridden,
    manifest: report.manifestDigest,
    ...(report.model?.isPicked === true ? { pickedModel: report.model.path.slice(0, 200) } : {}),
  };
}

interface Checked {
  readonly firstContact: FirstContact;
  readonly profile: Profile | undefined;
}

async function contact(
  context: CallContext,
  from: {
    readonly gate: GateResult<StagedObject>;
    readonly model: ModelFacts;
    readonly inference: Inference;
  },
): Promise<Checked> {
  const { gate, model, inference } = from;
  const { vault } = context.open();
  const find = (path: string): StagedObject | undefined =>
    gate.files.find((file) => file.path === path)?.stored;
  const files = modelFilesOf(model, gate.pipeline, (path) => {
    const staged = find(path);
    if (staged === undefined) throw new AppError('corrupt', `The bundle lacks the file ${path}.`);
    return vault.objects.handOverStaged(staged);
  });
  context.report({ step: 'First contact in isolation', done: 0, unit: 'steps' });
  const firstContact = await inference.firstContact(
    { ...files, golden: gate.golden, pipeline: gate.pipeline },
    { signal: context.signal },
  );
  // Its rows are for the model that the bundle means.
  const reference = model.isPicked === true ? undefined : find(wellKnown.reference);
  if (firstContact.status !== 'passed' || reference === undefined)
    return { firstContact, profile: undefined };
  context.report({ step: 'Profiling the reference', done: 0, unit: 'steps' });
  try {
    const profile = await inference.profile(
      { ...files, pipeline: gate.pipeline, source: vault.objects.handOverStaged(reference) },
      { signal: context.signal },
    );
    return { firstContact, profile };
  } catch (error) {
    // A reference that does not fit the model is the maker's mistake, and no reason to keep the model out. A disk is another matter.
    if (!(error instanceof AppError) || ['cancelled', 'io', 'corrupt'].includes(error.code))
      throw error;
    context.note({ details: { reference: error.code } });
    return { firstContact, profile: undefined };
  }
}

async function store(
  context: CallContext,
  entry: Checked & {
    readonly gate: GateResult<StagedObject>;
    readonly report: InspectReport & { readonly model: ModelFacts };
    readonly override: OverrideMark | undefined;
    readonly verdict: ReturnType<typeof judgeAs>;
    readonly name: string | undefined;
    readonly now: Date;
  },
  staged: readonly StagedObject[],
): Promise<ImportResult> {
  const { vault, registry, runs, session } = context.open();
  const { gate, report, firstContact, override } = entry;
  const overridden = override !== undefined;
  const name = entry.name ?? nameFrom(ownName(report));
  const stage = firstContact.status === 'passed' && !overridden ? 'candidate' : 'quarantined';
  const kept = new Set(gate.files.map(({ stored }) => stored.objectId));
  const digest = report.manifestDigest;
  const at = entry.now.toISOString();
  let version = 0;
  await vault.objects.commit(
    staged.filter(({ objectId }) => kept.has(objectId)),
    () => {
      const files = gate.files.map(({ path, bytes, sha256, stored }) => ({
        path,
        bytes,
        sha256,
        objectId: stored.objectId,
      }));
      version = registry.add({
        name,
        report,
        files,
        stage,
        firstContact,
        overridden,
        verdict: entry.verdict.verdict,
        at,
        by: session.user,
      }).version;
      // Another database, so it goes first: left alone by a kill, it is overwritten by the next version of this number.
      runs.setReference(
        { model: name, version },
        entry.profile === undefined
          ? undefined
          : { source: 'bundle', runId: undefined, since: at, profile: entry.profile },
      );
      step('import: reference written');
      context.settle({
        objects: [{ type: 'version', id: `${name}@${version}`, digest }, ...entry.verdict.objects],
        details: { stage, firstContact: firstContact.status },
      });
    },
  );
  return {
    ...report,
    modelName: name,
    version,
    digest,
    stage,
    firstContact,
    overridden,
    override: override ?? null,
  };
}

/** Of a picked model its path too: what the bundle means may come in under the bundle's name. */
function ownName({ name, model }: Pick<InspectReport, 'name' | 'model'>): string {
  return model?.isPicked === true ? `${name}-${model.path.replace(/\.onnx$/, '')}` : name;
}

/** A name that the registry accepts, from whatever the card or the folder is called. */
function nameFrom(text: string): string {
  const clean = text
    .normalize('NFC')
    .slice(0, 90)
    .replace(/[^\p{L}\p{N} ._-]+/gu, '-')
    .replace(/^[ ._-]+/, '')
    .trim();
  return clean === '' ? `model-${randomBytes(3).toString('hex')}` : clean;
}
