/** Backups and restoring. */
import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { makeFolder } from '#platform/make-folder.ts';
import { plural } from '#platform/plural.ts';
import { AppError } from '#shared/errors.ts';
import { contract } from '#shared/contract/index.ts';
import type { CheckedBackup, FoundBackup, MadeBackup } from '#shared/contract/backups.ts';
import { bytes, shortDigest } from '#shared/words.ts';
import { answerNo, wholeNumber, type CommandContext, type Runner } from './command.ts';
import { table } from './output.ts';
import { vaultDirOf } from './settings.ts';

interface MakeOptions {
  readonly partSize?: number;
  readonly mediaSize?: number | 'all';
  readonly continue?: boolean;
}

export function addCustodyCommands(program: Command, runner: Runner): void {
  const backup = program
    .command('backup [dir]')
    .description('copy the ciphertext of the vault to a medium, with a signed manifest')
    .option(
      '--part-size <size>',
      'put the pieces into folders of at most this size, such as 4G',
      sizeOf,
    )
    .option(
      '--media-size <size>',
      'use no more of this medium (all: as much as is free), then go on on another',
      mediaSizeOf,
    )
    .option('--continue', 'go on with the backup that waits for its next medium')
    .addHelpText(
      'after',
      '\nThe folder has to be there: a mistyped name, or a medium that is not in, is an error.',
    )
    .action((dir: string | undefined, options: MakeOptions, command: Command) =>
      runner.signedIn(command, (context) => make(context, dir, options)),
    );
  backup
    .command('list <dirs...>')
    .description('the snapshots in a place; needs no password')
    .action((dirs: string[], _options, command: Command) =>
      runner.plain(command, async (context) => {
        const found = await context.client.backups.inspect({
          folders: await tokens(context, dirs),
        });
        context.output.result({ backups: found }, found.map(describeFound).join('\n\n'));
      }),
    );
  backup
    .command('history')
    .description('the backups that the vault remembers')
    .action((_options, command: Command) =>
      runner.signedIn(command, async ({ client, output }) => {
        const list = await client.backups.list(null);
        output.result(
          { backups: list },
          table(
            ['Started (UTC)', 'By', 'State', 'Snapshot', 'Log', 'Place'],
            list.map((each) => [
              each.startedAt,
              each.startedBy,
              each.state,
              String(each.snapshot ?? ''),
              String(each.logSize ?? ''),
              each.places.join(', '),
            ]),
          ),
        );
      }),
    );
  backup
    .command('verify <dirs...>')
    .description('read a backup whole and compare every byte with its manifests; needs no password')
    .option('--vault-id <id>', 'which vault, when there are several')
    .option('--sign-in', 'also ask the vault whether the backup is its own')
    .action((dirs: string[], options: { vaultId?: string; signIn?: boolean }, command: Command) => {
      const run = options.signIn === true ? runner.signedIn : runner.plain;
      return run(command, (context) => verify(context, dirs, options.vaultId));
    });

  program
    .command('restore <dirs...>')
    .description('make a vault from a backup; name all its media. Needs no password')
    .option('--to <dir>', 'new folder for the vault; without it the one that --vault names')
    .option('--snapshot <n>', 'which snapshot; without it the newest', wholeNumber)
    .option('--vault-id <id>', 'which vault, when there are several')
    .action(
      (
        dirs: string[],
        options: { to?: string; snapshot?: number; vaultId?: string },
        command: Command,
      ) => runner.plain(command, (context) => restore(context, dirs, options)),
    );
}

async function make(
  { connection, client, output }: CommandContext,
  dir: string | undefined,
  options: MakeOptions,
): Promise<number> {
  if (dir === undefined) throw new AppError('invalid-input', 'Say where to: backup DIR.');
  await requireFolder(dir);
  const made = await connection.wait(
    contract.backups.make,
    client.backups.make({
      folder: await connection.file(dir),
      ...(options.partSize === undefined ? {} : { partBytes: options.partSize }),
      ...(typeof options.mediaSize === 'number' ? { mediaBytes: options.mediaSize } : {}),
      spans: options.mediaSize !== undefined,
      continues: options.continue === true,
    }),
  );
  output.result(made, describeMade(made));
  return made.state === 'complete' ? 0 : answerNo;
}

/** Made here, a folder would hide that the medium is not there, or that its name was mistyped. */
async function requireFolder(dir: string): Promise<void> {
  const found = await stat(dir).catch(() => undefined); // whatever the reason, it is not there for us
  if (found?.isDirectory() === true) return;
  throw new AppError(
    'not-found',
    `There is no folder ${dir}. Put the medium in and look at its name; a new folder on it is yours to make.`,
  );
}

async function verify(
  context: CommandContext,
  dirs: readonly string[],
  vaultId: string | undefined,
): Promise<number> {
  const { connection, client, output } = context;
  const checked = await connection.wait(
    contract.backups.check,
    client.backups.check({
      folders: await tokens(context, dirs),
      ...(vaultId === undefined ? {} : { vaultId }),
    }),
  );
  output.result(checked, describeChecked(checked));
  return checked.status === 'whole' && (checked.ofThisVault ?? 'yes') === 'yes' ? 0 : answerNo;
}

async function restore(
  context: CommandContext,
  dirs: readonly string[],
  options: { readonly to?: string; readonly snapshot?: number; readonly vaultId?: string },
): Promise<void> {
  const { connection, client, output, options: global } = context;
  if (options.to === undefined) await makeFolder(vaultDirOf(global), 0o700);
  const restored = await connection.wait(
    contract.backups.restore,
    client.backups.restore({
      folders: await tokens(context, dirs),
      ...(options.to === undefined ? {} : { to: await connection.target(options.to) }),
      ...(options.snapshot === undefined ? {} : { snapshot: options.snapshot }),
      ...(options.vaultId === undefined ? {} : { vaultId: options.vaultId }),
    }),
  );
  output.result(
    restored,
    [
      `Vault ${restored.vaultId} restored to ${restored.path}`,
      `from snapshot ${restored.snapshot}, made at ${restored.madeAt}.`,
      `Its log has ${restored.logSize} entries, root ${restored.logRoot}.`,
      'What came after the backup is not in it, and what was erased after it is back. Sign in and run "audit verify".',
    ].join('\n'),
  );
}

async function tokens({ connection }: CommandContext, dirs: readonly string[]): Promise<string[]> {
  return Promise.all(dirs.map((dir) => connection.file(dir)));
}

function describeMade(made: MadeBackup): string {
  const amounts = `${bytes(made.writtenBytes)} written and read back, ${bytes(made.keptBytes)} were there.`;
  if (made.state === 'complete')
    return `Snapshot ${made.snapshot} is complete: ${made.path}\n${amounts}\nThe log has ${made.logSize} entries in it. Manifest ${made.digest}`;
  return `This medium is full and the backup is not complete: ${bytes(made.missingBytes)} are left.\n${amounts}\nGo on with: backup DIR --continue, where DIR is on the next medium.`;
}

function describeFound({ vaultId, snapshots, pieces, bytes: size }: FoundBackup): string {
  const head = `Vault ${vaultId ?? 'unknown'}: ${plural(pieces, 'piece')}, ${bytes(size)}`;
  if (snapshots.length === 0) return `${head}\nNo snapshot: the backup was not finished here.`;
  const rows = snapshots.map((each) =>
    each.problem === null
      ? [
          String(each.number),
          each.madeAt ?? '',
          String(each.files ?? ''),
          bytes(each.bytes ?? 0),
          String(each.logSize ?? ''),
          shortDigest(each.digest ?? ''),
        ]
      : [String(each.number), each.problem],
  );
  return `${head}\n${table(['Snapshot', 'Made (UTC)', 'Files', 'Size', 'Log', 'Manifest'], rows)}`;
}

function describeChecked(checked: CheckedBackup): string {
  const head =
    checked.status === 'whole'
      ? `Whole: ${plural(checked.snapshots, 'snapshot')}, ${plural(checked.pieces, 'piece')}, ${bytes(checked.bytes)} read.`
      : `DAMAGED: ${plural(checked.problems.length, 'problem')}.`;
  const own = {
    yes: ['The log of this vault goes on from every snapshot.'],
    'other-history': [
      'NOT in the log of this vault: the vault is older than a snapshot, or its history went another way.',
    ],
    'other-key': ['NOT of this vault: a manifest is signed by another key.'],
  };
  return [
    head,
    ...(checked.ofThisVault === null ? [] : own[checked.ofThisVault]),
    ...checked.problems.map(({ file, problem }) => `  ${file}: ${problem}`),
  ].join('\n');
}

/** `700M` and `4G` as media are sold: powers of ten. */
function sizeOf(text: string): number {
  const [, digits, unit] = /^(\d{1,9})([MGT])$/i.exec(text) ?? [];
  if (digits === undefined || unit === undefined)
    throw new AppError('invalid-input', `"${text.slice(0, 40)}" is not a size such as 700M or 4G.`);
  return Number(digits) * { M: 1e6, G: 1e9, T: 1e12 }[unit.toUpperCase() as 'M' | 'G' | 'T'];
}

function mediaSizeOf(text: string): number | 'all' {
  return text === 'all' ? 'all' : sizeOf(text);
}
