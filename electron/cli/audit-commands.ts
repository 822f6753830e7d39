/** The log, reports, and checking what Strongroom hands out. */
import type { Command } from 'commander';
import { AppError } from '#shared/errors.ts';
import { contract } from '#shared/contract/index.ts';
import type { FileVerdict } from '#shared/contract/audit.ts';
import type { VaultStatus } from '#shared/contract/vault.ts';
import { reportKinds } from '#shared/contract/reports.ts';
import { answerNo, timeOf, wholeNumber, type Runner } from './command.ts';
import { table } from './output.ts';

const collect = (value: string, list: readonly string[]): string[] => [...list, value];

export function addAuditCommands(program: Command, runner: Runner): void {
  const audit = program.command('audit').description('the tamper-evident log');
  audit
    .command('list')
    .description('list entries, newest first')
    .option('--limit <n>', 'how many', wholeNumber, 50)
    .option('--before <index>', 'only entries before this index', wholeNumber)
    .option('--action <action>', 'only this action')
    .option('--actor <name>', 'only this person')
    .option('--text <text>', 'only entries that contain it')
    .action(
      (
        options: { limit: number; before?: number; action?: string; actor?: string; text?: string },
        command: Command,
      ) =>
        runner.signedIn(command, async ({ client, output, options: global }) => {
          const { limit, before, actor, text } = options;
          const { entries } = await client.audit.list({
            limit,
            ...(before === undefined ? {} : { before }),
            ...(options.action === undefined ? {} : { action: options.action as 'run.score' }),
            ...(actor === undefined ? {} : { actor }),
            ...(text === undefined ? {} : { text }),
          });
          if (global.json === true) {
            for (const { entry } of entries) output.result(entry, '');
            return;
          }
          const rows = entries.map(({ entry }) => [
            String(entry.index),
            entry.time,
            entry.actor,
            entry.action,
            entry.phase,
            entry.outcome ?? '',
            entry.objects
              .map(({ id }) => id)
              .join(' ')
              .slice(0, 60),
          ]);
          output.result(
            entries,
            table(['Index', 'Time (UTC)', 'Who', 'Action', 'Phase', 'Outcome', 'About'], rows),
          );
        }),
    );
  audit
    .command('verify')
    .description('recompute the whole log and compare it with checkpoints kept elsewhere')
    .option(
      '--against <file>',
      'a checkpoint, or a manifest of a backup, that was kept outside the vault; may be repeated',
      collect,
      [],
    )
    .action((options: { against: string[] }, command: Command) =>
      runner.signedIn(command, async ({ connection, client, output }) => {
        const against = await Promise.all(options.against.map((path) => connection.file(path)));
        const status = await connection.wait(
          contract.audit.verify,
          client.audit.verify({ against }),
        );
        output.result(
          { firstBroken: null, ...status },
          `${status.status === 'intact' ? 'Intact' : 'BROKEN'}: ${status.message}\nSize ${status.size}, root ${status.root}`,
        );
        return status.status === 'intact' ? 0 : answerNo;
      }),
    );
  audit
    .command('checkpoint')
    .description('the newest signed checkpoint, to be kept outside the vault')
    .option('--out <file>', 'write it there')
    .action((options: { out?: string }, command: Command) =>
      runner.signedIn(command, async ({ connection, client, output }) => {
        const checkpoint = await client.audit.checkpoint(null);
        const { out } = options;
        const history = checkpoint.keyHistory;
        // A checkpoint has no place for it, and without it an earlier verifier key cannot be followed.
        const beside = out === undefined || history === null ? null : `${out}.key-history`;
        if (out !== undefined) await connection.write(out, checkpoint.text);
        if (beside !== null && history !== null) await connection.write(beside, history);
        const lines = [
          out === undefined
            ? checkpoint.text
            : `Checkpoint over ${checkpoint.size} entries: ${out}`,
          `Verifier key ${checkpoint.verifierKey}`,
          ...checkpoint.earlierKeys.map(
            ({ verifierKey, until }) => `  up to ${until} entries it was ${verifierKey}`,
          ),
          ...(beside === null ? [] : [`How one followed the other: ${beside}`]),
        ];
        output.result({ ...checkpoint, out: out ?? null, keyHistoryOut: beside }, lines.join('\n'));
      }),
    );
  const pins = audit
    .command('pins')
    .description('the checkpoint that this computer keeps outside the vault');
  pins
    .command('show')
    .description('how the vault stands to it')
    .action((_options, command: Command) =>
      runner.signedIn(command, async ({ client, output }) => {
        const { pin, rolledBack } = await client.vault.status(null);
        output.result({ pin, rolledBack }, rolledBack?.message ?? describePin(pin));
        return rolledBack === null ? 0 : answerNo;
      }),
    );
  pins
    .command('accept')
    .description('go on with a vault that is older than it, for which there must be a reason')
    .requiredOption('--reason <text>', 'why it is older, and who knows')
    .action((options: { reason: string }, command: Command) =>
      runner.signedIn(command, async ({ client, output }) => {
        await client.audit.acceptPin(options);
        output.result({ accepted: true }, 'Accepted. Both heads stand in the log.');
      }),
    );
  audit
    .command('prove <index>')
    .description('an inclusion proof (tlog-proof) for one entry')
    .option('--out <file>', 'write it there')
    .action((index: string, options: { out?: string }, command: Command) =>
      runner.signedIn(command, async ({ connection, client, output }) => {
        const proof = await client.audit.prove({ index: wholeNumber(index) });
        if (options.out !== undefined) await connection.write(options.out, proof.text);
        output.result(
          { ...proof, out: options.out ?? null },
          options.out === undefined
            ? proof.text
            : `Proof that entry ${proof.index} is one of ${proof.size}: ${options.out}`,
        );
      }),
    );
  audit
    .command('export <dir>')
    .description('write the log as a static tlog-tiles tree to a new folder')
    .action((dir: string, _options, command: Command) =>
      runner.signedIn(command, async ({ connection, client, output }) => {
        const exported = await connection.wait(
          contract.audit.export,
          client.audit.export(await connection.target(dir)),
        );
        output.result(exported, `${exported.entries} entries: ${exported.path}`);
      }),
    );

  program
    .command('report <kind>')
    .description(
      `compute a report and write it as PDF/A-3 with its evidence inside; kinds: ${reportKinds.join(', ')}`,
    )
    .requiredOption('--out <file>', 'new PDF; never overwrites')
    .option('--model <model>', 'of one model only')
    .option('--from <time>', 'from then on', timeOf)
    .option('--to <time>', 'before then', timeOf)
    .action(
      (
        kind: string,
        options: { out: string; model?: string; from?: string; to?: string },
        command: Command,
      ) =>
        runner.signedIn(command, async ({ connection, client, output }) => {
          const made = await connection.wait(
            contract.reports.make,
            client.reports.make({
              kind: kind as 'production-history',
              ...(await connection.target(options.out)),
              ...(options.model === undefined ? {} : { model: options.model }),
              ...(options.from === undefined ? {} : { from: options.from }),
              ...(options.to === undefined ? {} : { to: options.to }),
            }),
          );
          output.result(made, `${made.path}\n${made.digest}, ${made.entries} entries as evidence`);
        }),
    );

  program
    .command('verify <files...>')
    .description(
      'check reports, receipts of runs, verdicts, proofs, checkpoints, key histories, exported logs and manifests of backups; needs no vault and no password',
    )
    .option(
      '--verifier-key <key>',
      'the key that the log must be signed with, as `audit checkpoint` shows it; one before or after it counts too when the key history leads there',
    )
    .option(
      '--key-history <file>',
      'key history of the log, from `audit checkpoint` or an exported log; reports, receipts, verdicts, proofs and backups carry the one of their day',
    )
    .option(
      '--allow-missing',
      'exit with 0 too when a receipt holds and a file that it names is not beside it',
    )
    .option(
      '--input <file>',
      'of one receipt: the file or folder that the run is said to have read; else one of its name beside the receipt',
    )
    .action(
      (
        files: string[],
        options: {
          verifierKey?: string;
          keyHistory?: string;
          allowMissing?: true;
          input?: string;
        },
        command: Command,
      ) =>
        runner.plain(command, async ({ connection, client, output }) => {
          let doubtful = 0;
          const { verifierKey, keyHistory } = options;
          if (options.input !== undefined && files.length > 1)
            throw new AppError('invalid-input', '--input belongs to one receipt: verify it alone.');
          for (const file of files) {
            const input = {
              file: await connection.file(file),
              ...(verifierKey === undefined ? {} : { verifierKey }),
              ...(keyHistory === undefined
                ? {}
                : { keyHistory: await connection.file(keyHistory) }),
              ...(options.input === undefined
                ? {}
                : { input: await connection.file(options.input) }),
            };
            const verdict = await connection.wait(
              contract.reports.verify,
              client.reports.verify(input),
            );
            const isMissing = verdict.status === 'incomplete' && options.allowMissing === true;
            if (verdict.status !== 'valid' && !isMissing) doubtful += 1;
            output.result(
              files.length === 1 ? verdict : { file, ...verdict },
              describeVerdict(file, verdict),
            );
          }
          return doubtful === 0 ? 0 : answerNo;
        }),
    );
}

/** One sentence, for `status` too. */
export function describePin(pin: VaultStatus['pin']): string {
  switch (pin?.state) {
    case 'kept':
      return `This computer keeps the checkpoint over ${pin.size ?? 0} entries.`;
    case 'unreadable':
      return 'The checkpoint that this computer keeps cannot be read or written.';
    case 'off':
      return 'This computer keeps no checkpoint.';
    default:
      return 'This computer had no checkpoint of this vault before.';
  }
}

function describeVerdict(file: string, { status, kind, checks, unseen }: FileVerdict): string {
  const answer = {
    valid: `valid (${kind})`,
    incomplete: `INCOMPLETE (${kind}): what could be checked holds, and not all could be`,
    invalid: `INVALID (${kind})`,
  }[status];
  return [
    `${file}: ${answer}`,
    ...checks.map(
      ({ name, ok, detail }) =>
        `  ${ok === null ? '??  ' : ok ? 'ok  ' : 'FAIL'}  ${name}: ${detail}`,
    ),
    ...unseen.map((text) => `  --    ${text} Put it beside the receipt, or name it: --input FILE.`),
  ].join('\n');
}
