/** One record: predicted, explained, and what may be told of it. */
import { readFile, stat } from 'node:fs/promises';
import { text as textOf } from 'node:stream/consumers';
import type { Command } from 'commander';
import { AppError } from '#shared/errors.ts';
import { hasNameTwice } from '#platform/json-names.ts';
import {
  recordValues,
  reasonTexts,
  type Change,
  type Explanation,
  type Prediction,
  type Reasons,
  type RecordValues,
  type StoredReasonTexts,
} from '#shared/contract/records.ts';
import type { z } from 'zod';
import { wholeNumber, type Runner } from './command.ts';
import { table } from './output.ts';

const largestInput = 16 * 2 ** 20;

export function addRecordCommands(program: Command, runner: Runner): void {
  program
    .command('predict <version>')
    .description('predict one record; the log holds a salted commitment in place of it')
    .requiredOption('--record <file>', 'JSON object of column and value; - reads standard input')
    .action((version: string, options: { record: string }, command: Command) =>
      runner.signedIn(command, async ({ client, output }) => {
        const record = await readRecord(options.record);
        const prediction = await client.records.predict({ version, record });
        output.result(prediction, predictionText(prediction));
      }),
    );

  program
    .command('explain <version>')
    .description('share the prediction of one record out among its columns')
    .requiredOption('--record <file>', 'JSON object of column and value; - reads standard input')
    .option('--target <column>', 'number of the output to explain, in place of the prediction')
    .option('--permutations <count>', 'orders to try where it cannot be exact', wholeNumber)
    .option('--change', 'look for the smallest change that changes the decision')
    .option('--fixed <column...>', 'with --change: columns that cannot be changed')
    .option('--reasons', 'name the reasons of an adverse decision, and what may be told')
    .action(
      (
        version: string,
        options: {
          record: string;
          target?: string;
          permutations?: number;
          change?: true;
          fixed?: string[];
          reasons?: true;
        },
        command: Command,
      ) => {
        refuseIgnored(options);
        return runner.signedIn(command, async ({ client, output }) => {
          const record = await readRecord(options.record);
          const target = options.target === undefined ? {} : { target: options.target };
          if (options.change === true) {
            const change = await client.records.change({
              version,
              record,
              ...target,
              immutable: options.fixed ?? [],
            });
            output.result(change, changeText(change));
          } else if (options.reasons === true) {
            const reasons = await client.records.reasons({ version, record });
            output.result(reasons, reasonsText(reasons));
          } else {
            const { permutations } = options;
            const explanation = await client.records.explain({
              version,
              record,
              ...target,
              ...(permutations === undefined ? {} : { permutations }),
            });
            output.result(explanation, explanationText(explanation));
          }
        });
      },
    );

  const reasons = program
    .command('reasons')
    .description('what people are told of the reasons of a decision');
  reasons
    .command('show <version>')
    .description('show the approved texts, and those that wait')
    .action((version: string, _options, command: Command) =>
      runner.signedIn(command, async ({ client, output }) => {
        const state = await client.records.reasonTexts({ version });
        const parts = [
          ...(state.approved === null ? [] : [textsText('Approved', state.approved)]),
          ...(state.proposed === null ? [] : [textsText('Waits for approval', state.proposed)]),
        ];
        output.result(state, parts.length === 0 ? 'No texts yet.' : parts.join('\n\n'));
      }),
    );
  reasons
    .command('propose <version>')
    .description(
      'propose texts: {"adverse":"at-or-above"|"below","most":4,"texts":[{"column","text"}]}',
    )
    .requiredOption('--texts <file>', 'JSON file; - reads standard input')
    .action((version: string, options: { texts: string }, command: Command) =>
      runner.signedIn(command, async ({ client, output }) => {
        const texts = await readJson(options.texts, reasonTexts);
        const state = await client.records.proposeTexts({ version, texts });
        const waiting = state.proposed;
        output.result(
          state,
          waiting === null
            ? 'Approved: the policy of this vault asks for no second person.'
            : `Proposed. Somebody else approves them with: reasons approve ${state.model}@${state.version} --digest ${waiting.digest}`,
        );
      }),
    );
  reasons
    .command('approve <version>')
    .description('approve the texts that wait; never by who proposed them')
    .requiredOption('--digest <digest>', 'of the texts that were read, as `reasons show` tells it')
    .action((version: string, options: { digest: string }, command: Command) =>
      runner.signedIn(command, async ({ client, output }) => {
        const state = await client.records.approveTexts({ version, digest: options.digest });
        output.result(state, 'Approved.');
      }),
    );
}

/** Throws `invalid-input` for an option that would change nothing of what is asked. */
function refuseIgnored(options: {
  readonly target?: string;
  readonly permutations?: number;
  readonly change?: true;
  readonly fixed?: readonly string[];
  readonly reasons?: true;
}): void {
  const { target, permutations, change, fixed, reasons } = options;
  const refuse = (message: string): never => {
    throw new AppError('invalid-input', message);
  };
  if (change === true && reasons === true)
    refuse('--change and --reasons ask for different things. Ask one after the other.');
  if (fixed !== undefined && change !== true) refuse('--fixed means something with --change only.');
  if (target !== undefined && reasons === true)
    refuse('--target means nothing with --reasons: they are those of the decision.');
  if (permutations !== undefined && (change === true || reasons === true))
    refuse('--permutations means nothing with --change or --reasons.');
}

function readRecord(path: string): Promise<RecordValues> {
  return readJson(path, recordValues);
}

/** A whole number that a double cannot hold stays as it is written; a column of text is read with all its digits. */
export function keepDigits(
  _key: string,
  value: unknown,
  context?: { readonly source?: string },
): unknown {
  return typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
    ? (context?.source ?? value)
    : value;
}

/** Values never enter a message. */
async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const what = path === '-' ? 'Standard input' : path;
  const content = path === '-' ? await textOf(process.stdin) : await readSmall(path);
  let value: unknown;
  try {
    value = JSON.parse(content, keepDigits);
  } catch {
    throw new AppError('invalid-input', `${what} is not JSON.`);
  }
  if (typeof value === 'object' && value !== null && hasNameTwice(content, value))
    throw new AppError(
      'invalid-input',
      `${what} has a name twice, so it is not clear which value is meant.`,
    );
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') ?? '';
  throw new AppError(
    'invalid-input',
    `${what} is not what is expected${where === '' ? '' : `, at ${where.slice(0, 200)}`}.`,
  );
}

async function readSmall(path: string): Promise<string> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw new AppError('not-found', `There is no file ${path}.`, { cause });
  });
  if (!facts.isFile() || facts.size > largestInput)
    throw new AppError('invalid-input', `${path} is no file of at most 16 MiB.`);
  return readFile(path, 'utf8');
}

const outside = {
  range: 'outside of the range that the model states',
  category: 'none of the categories that the model states',
} as const;

function predictionText(prediction: Prediction): string {
  const { outputs, target, value, threshold, unusual, commitment } = prediction;
  const side =
    value === null || threshold === null
      ? []
      : [
          `${target ?? ''} is ${value >= threshold ? 'at or above' : 'below'} the threshold ${threshold}.`,
        ];
  return [
    ...outputs.map(({ name, value: found }) => `${name}: ${found ?? 'missing'}`),
    ...side,
    ...unusual.map(({ column, code }) => `Warning: ${column} is ${outside[code]}.`),
    `Commitment ${commitment.digest}, salt ${commitment.salt}`,
  ].join('\n');
}

function explanationText(explanation: Explanation): string {
  const { target, value, base, scale, method, rows, contributions } = explanation;
  const sorted = contributions.toSorted(
    (a, b) => Math.abs(b.contribution) - Math.abs(a.contribution),
  );
  return [
    `${scale === 'log-odds' ? `log-odds of ${target}` : target}: ${number(value)}; ${number(base)} on average over ${rows} rows of the reference (${method === 'sampling' ? 'sampled' : `exact, ${method}`}).`,
    '',
    table(
      ['Column', 'Value', 'Contribution', 'Error'],
      sorted.map((each) => [
        each.column,
        each.value ?? '',
        number(each.contribution),
        each.error === null ? 'not known' : number(each.error),
      ]),
    ),
  ].join('\n');
}

function changeText(change: Change): string {
  const { status, changes, changedValue, target, value, threshold, predictions } = change;
  const now = `${target} is ${number(value)}, the threshold ${threshold}.`;
  if (status !== 'found' || changedValue === null)
    return `${now} ${status === 'none' ? 'No change was found' : 'The search ended before a change was found'} among ${predictions} records.`;
  return [
    `${now} It would be ${number(changedValue)} with:`,
    table(
      ['Column', 'From', 'To'],
      changes.map(({ column, from, to, unit }) => [
        unit === null ? column : `${column} (${unit})`,
        from ?? 'missing',
        to,
      ]),
    ),
  ].join('\n');
}

function reasonsText(reasons: Reasons): string {
  if (reasons.status === 'not-adverse') return 'The decision is not adverse.';
  const told =
    reasons.notice === null
      ? ['Nothing of this may be told: not every reason has an approved text.']
      : ['The person may be told:', ...reasons.notice.map((text, at) => `${at + 1}. ${text}`)];
  return [
    table(
      ['Column', 'Value', 'Push', 'Stable'],
      reasons.reasons.map(({ column, value, push, stability }) => [
        column,
        value ?? '',
        number(push),
        `${Math.round(stability * 100)} %`,
      ]),
    ),
    `The same reasons came out in ${Math.round(reasons.sameSet * 100)} % of ${reasons.draws} draws.`,
    '',
    ...told,
  ].join('\n');
}

function textsText(title: string, texts: StoredReasonTexts): string {
  const by = texts.approvedBy === null ? '' : `, approved by ${texts.approvedBy}`;
  return [
    `${title}: proposed by ${texts.proposedBy}${by}; adverse ${texts.adverse === 'below' ? 'below' : 'at or above'} the threshold; up to ${texts.most} reasons`,
    `Digest ${texts.digest}`,
    table(
      ['Column', 'Text'],
      texts.texts.map(({ column, text }) => [column, text]),
    ),
  ].join('\n');
}

function number(value: number): string {
  return String(Number(value.toPrecision(4)));
}
