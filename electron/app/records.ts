/** Single records: predicted, explained, and what may be told to the person whom a record is about. */
import { createHash, randomBytes } from 'node:crypto';
import { AppError } from '#shared/errors.ts';
import type {
  Change,
  Explanation,
  Prediction,
  Reasons,
  ReasonTexts,
  ReasonTextsState,
  RecordForm,
  RecordValues,
} from '#shared/contract/records.ts';
import { canonicalBytes } from '#platform/canonical-json.ts';
import { goldenRecords } from '#domain/bundle/index.ts';
import type { ModelPool, PooledModel } from '#domain/inference/index.ts';
import type { ResolvedVersion } from '#domain/registry/index.ts';
import { rejectMessages } from '#domain/tables/index.ts';
import { atOnce } from './catalog-acts.ts';
import type { CallContext } from './handler.ts';
import { pooledModel, readGolden, requireRunnable } from './model-access.ts';

interface Deps {
  readonly pool: ModelPool;
}

interface Asked {
  readonly version: string;
  readonly record: RecordValues;
}

const examples = 5;
const shownColumns = 60;

export async function recordForm(
  context: CallContext,
  reference: string,
  { pool }: Deps,
): Promise<RecordForm> {
  const { vault } = context.open();
  const { version, model } = await resolved(context, reference);
  const { value } = await pool.request(
    model,
    { kind: 'form', body: null },
    { signal: context.signal },
  );
  const { rows, ...facts } = value;
  const golden = await readGolden(vault, version);
  const fields = facts.fields.map(({ name }) => name);
  const fromGolden =
    golden === undefined
      ? []
      : goldenRecords(golden, { pipeline: model.pipeline, fields }).slice(0, examples);
  return {
    ...ofVersion(version),
    ...facts,
    messages: rejectMessages,
    examples: [
      ...fromGolden.map((record, at) => ({ name: `Golden vector ${at + 1}`, record })),
      ...rows.map((record, at) => ({ name: `Row ${at + 1} of the reference`, record })),
    ],
  };
}

export async function predictRecord(
  context: CallContext,
  { version: reference, record }: Asked,
  { pool }: Deps,
): Promise<Prediction> {
  const { version, model } = await resolved(context, reference);
  const { value } = await pool.request(
    model,
    { kind: 'predict', body: { record: textsOf(record) } },
    { signal: context.signal },
  );
  const salt = randomBytes(32);
  const hash = createHash('sha256').update(salt);
  const digest = `sha256:${hash.update(canonicalBytes({ outputs: value.outputs, record })).digest('hex')}`;
  context.note({ objects: [{ type: 'record', id: 'committed', digest }] });
  return {
    ...ofVersion(version),
    ...value,
    commitment: { salt: salt.toString('hex'), digest },
    logIndex: context.logIndex,
  };
}

export async function explainRecord(
  context: CallContext,
  asked: Asked & { readonly target?: string | undefined; readonly permutations: number },
  { pool }: Deps,
): Promise<Explanation> {
  const { version, model } = await resolved(context, asked.version);
  const { target, permutations } = asked;
  const { value } = await pool.request(
    model,
    { kind: 'explain', body: { record: textsOf(asked.record), target, permutations } },
    { signal: context.signal },
  );
  context.note({ details: { kind: 'contributions', method: value.method } });
  return { ...ofVersion(version), ...value, logIndex: context.logIndex };
}

export async function changeRecord(
  context: CallContext,
  asked: Asked & {
    readonly target?: string | undefined;
    readonly threshold?: number | undefined;
    readonly immutable: readonly string[];
    readonly mostColumns: number;
  },
  { pool }: Deps,
): Promise<Change> {
  const { version: reference, record, ...options } = asked;
  const unknown = options.immutable.find((column) => !Object.hasOwn(record, column));
  if (unknown !== undefined)
    throw new AppError(
      'invalid-input',
      `The record has no column ${unknown}, so it cannot be kept as it is.`,
    );
  const { version, model } = await resolved(context, reference);
  const { value } = await pool.request(
    model,
    { kind: 'change', body: { record: textsOf(record), ...options } },
    { signal: context.signal },
  );
  context.note({ details: { kind: 'change', status: value.status } });
  return { ...ofVersion(version), ...value, logIndex: context.logIndex };
}

export async function recordReasons(
  context: CallContext,
  { version: reference, record }: Asked,
  { pool }: Deps,
): Promise<Reasons> {
  const { version, model } = await resolved(context, reference);
  const { approved, proposed } = context.open().reasonTexts.show(version);
  const texts = approved ?? proposed;
  if (texts === null)
    throw new AppError(
      'conflict',
      `Nobody has said yet which side of the threshold of ${version.model}@${version.version} is adverse, and what people are told. Propose texts of reasons first.`,
    );
  const { adverse, most } = texts;
  const { value } = await pool.request(
    model,
    { kind: 'reasons', body: { record: textsOf(record), adverse, most } },
    { signal: context.signal },
  );
  const textByColumn = new Map(approved?.texts.map(({ column, text }) => [column, text]));
  const named = value.reasons.map((each) => ({
    ...each,
    text: textByColumn.get(each.column) ?? null,
  }));
  const told = named.flatMap(({ text }) => text ?? []);
  const isWhole = value.status === 'adverse' && named.length > 0 && told.length === named.length;
  context.note({
    details: { kind: 'reasons', status: value.status, texts: approved?.digest ?? 'not approved' },
  });
  return {
    ...ofVersion(version),
    ...value,
    adverse,
    reasons: named,
    notice: isWhole ? told : null,
    logIndex: context.logIndex,
  };
}

/** Throws `invalid-input` for a text of a column that no record of the version has: nobody would ever be told it. */
export async function proposeTexts(
  context: CallContext,
  { version: reference, texts }: { readonly version: string; readonly texts: ReasonTexts },
  { pool }: Deps,
): Promise<ReasonTextsState> {
  const asked = context.open().registry.resolve(reference);
  if (texts.texts.length > 0) {
    requireRunnable(asked);
    const { value } = await pool.request(
      await pooledModel(context.open, asked),
      { kind: 'form', body: null },
      { signal: context.signal },
    );
    requireColumns(
      texts.texts.map(({ column }) => column),
      value.fields.map(({ name }) => name),
    );
  }
  return atOnce(context, ({ registry, reasonTexts, policy, session }) => {
    // The one whose columns were looked at, wherever an alias leads by now.
    const version = registry.resolve(`${asked.model}@${asked.version}`);
    const { secondPerson } = policy.read();
    const proposal = reasonTexts.propose(version, { texts, actor: session.user, secondPerson });
    return [
      reasonTexts.show(version),
      {
        objects: textObjects(version, proposal.digest),
        details: { texts: texts.texts.length, status: secondPerson ? 'pending' : 'approved' },
      },
    ];
  });
}

function requireColumns(named: readonly string[], known: readonly string[]): void {
  const unknown = [...new Set(named).difference(new Set(known))];
  if (unknown.length === 0) return;
  const listed = (names: readonly string[]): string =>
    names.length <= shownColumns
      ? names.join(', ')
      : `${names.slice(0, shownColumns).join(', ')} and ${names.length - shownColumns} more`;
  throw new AppError(
    'invalid-input',
    `The version has no column ${listed(unknown)}. Its columns are: ${listed(known)}.`,
  );
}

export function approveTexts(
  context: CallContext,
  { version: reference, digest }: { readonly version: string; readonly digest: string },
): ReasonTextsState {
  return atOnce(context, ({ registry, reasonTexts, session }) => {
    const version = registry.resolve(reference);
    const { texts, proposedBy } = reasonTexts.approve(version, { digest, actor: session.user });
    return [
      reasonTexts.show(version),
      { objects: textObjects(version, digest), details: { texts: texts.length, proposedBy } },
    ];
  });
}

function textObjects(version: ResolvedVersion, digest: string) {
  return [
    { type: 'version', id: `${version.model}@${version.version}`, digest: version.digest },
    { type: 'texts', id: 'reasons', digest },
  ];
}

async function resolved(
  context: CallContext,
  reference: string,
): Promise<{ readonly version: ResolvedVersion; readonly model: PooledModel }> {
  const version = context.open().registry.resolve(reference);
  if (context.logIndex >= 0)
    context.note({
      objects: [
        { type: 'version', id: `${version.model}@${version.version}`, digest: version.digest },
      ],
    });
  requireRunnable(version);
  return { version, model: await pooledModel(context.open, version) };
}

function ofVersion({ model, version, digest }: ResolvedVersion) {
  return { model, version, versionDigest: digest };
}

/** As a file would have them. */
function textsOf(record: RecordValues): Record<string, string | null> {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name, value === null ? null : String(value)]),
  );
}
