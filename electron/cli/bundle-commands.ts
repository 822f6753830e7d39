/** Bundles: inspect, sign, import, export. */
import type { Command } from 'commander';
import { AppError } from '#shared/errors.ts';
import { contract } from '#shared/contract/index.ts';
import type { InspectReport } from '#shared/contract/bundles.ts';
import { bytes, shortDigest } from '#shared/words.ts';
import { plural } from '#platform/plural.ts';
import { answerNo, type Runner } from './command.ts';
import { table } from './output.ts';
import { readSecret } from './settings.ts';

const collect = (value: string, list: readonly string[]): string[] => [...list, value];

const pickHelp = 'which model of several, by its path; else the one that the bundle means';

interface InspectOptions {
  readonly trust: string[];
  readonly sarif?: string;
  readonly model?: string;
}

interface SignOptions {
  readonly key: string;
  readonly cert?: string;
  readonly ignore: string[];
  readonly as?: string;
}

export function addBundleCommands(program: Command, runner: Runner): void {
  const bundle = program
    .command('bundle')
    .description('work with bundles; inspect, keygen and sign need no vault');

  bundle
    .command('inspect <source>')
    .description(
      'open, verify and scan a bundle: a folder, an archive or its parts, an OCI image layout, a .onnx',
    )
    .option(
      '--trust <pem>',
      'public key or certificate to trust for this inspection; may be repeated',
      collect,
      [],
    )
    .option('--sarif <file>', 'write the findings to a new file, as SARIF 2.1.0')
    .option('--model <path>', pickHelp)
    .action((source: string, options: InspectOptions, command: Command) =>
      runner.plain(command, async ({ connection, client, output }) => {
        const trust = await Promise.all(options.trust.map((path) => connection.file(path)));
        const report = await connection.wait(
          contract.bundles.inspect,
          client.bundles.inspect({
            source: await connection.file(source),
            trust,
            ...(options.model === undefined ? {} : { model: options.model }),
            ...(options.sarif === undefined
              ? {}
              : { sarif: await connection.target(options.sarif) }),
          }),
        );
        output.result(report, describeReport(report, options.trust.length > 0));
        return report.verdict === 'accept' ? 0 : answerNo;
      }),
    );

  bundle
    .command('keygen')
    .description('make an ECDSA key pair: NAME.key.pem and NAME.pub.pem')
    .requiredOption('--out <name>', 'path without the endings')
    .option('--algorithm <name>', 'p256, p384 or p521', 'p256')
    .action((options: { out: string; algorithm: string }, command: Command) =>
      runner.plain(command, async ({ connection, client, output }) => {
        const made = await client.bundles.keygen({
          ...(await connection.target(options.out)),
          algorithm: options.algorithm as 'p256',
        });
        output.result(
          made,
          `Private key ${made.privateKeyPath} (keep it secret)\nPublic key  ${made.publicKeyPath}\nKey id      ${made.keyId}`,
        );
      }),
    );

  bundle
    .command('sign <dir>')
    .description('sign a bundle folder (OpenSSF Model Signing 1.0): writes model.sig into it')
    .requiredOption('--key <pem>', 'private key, PEM without a password')
    .option('--cert <pem>', "chain of certificates, the key's own first; signs by certificate")
    .option(
      '--ignore <path>',
      'path in the folder that the signature leaves out; may be repeated',
      collect,
      [],
    )
    .option('--as <name>', 'write model.NAME.sig beside the signatures of others')
    .action((dir: string, options: SignOptions, command: Command) =>
      runner.plain(command, async ({ connection, client, output }) => {
        const { key, cert, ignore, as } = options;
        const input = {
          source: await connection.file(dir),
          key: await connection.file(key),
          ...(cert === undefined ? {} : { certificates: await connection.file(cert) }),
          ...(ignore.length === 0 ? {} : { ignorePaths: ignore }),
          ...(as === undefined ? {} : { as }),
        };
        const signed = await connection.wait(contract.bundles.sign, client.bundles.sign(input));
        output.result(
          signed,
          `${plural(signed.files, 'file')} signed: ${signed.path}\nKey id ${signed.keyId}`,
        );
      }),
    );

  bundle
    .command('export <version> <out>')
    .description('write the files of a stored version, as they came in, to a new folder')
    .option('--since <version>', 'leave out what that version has too: a differential bundle')
    .action((version: string, out: string, options: { since?: string }, command: Command) =>
      runner.signedIn(command, async ({ connection, client, output }) => {
        const written = await connection.wait(
          contract.bundles.export,
          client.bundles.export({
            version,
            ...(options.since === undefined ? {} : { since: options.since }),
            ...(await connection.target(out)),
          }),
        );
        output.result(
          written,
          `${plural(written.files, 'file')}, ${bytes(written.totalBytes)}: ${written.path}`,
        );
      }),
    );

  bundle
    .command('verdict <version>')
    .description('write the signed verdict of the gate and its findings (SARIF) to a new folder')
    .requiredOption('--out <dir>', 'folder to make')
    .addHelpText(
      'after',
      '\nA number instead of a version is the log entry that announced an import.',
    )
    .action((version: string, options: { out: string }, command: Command) =>
      runner.signedIn(command, async ({ connection, client, output }) => {
        const of = /^\d+$/.test(version) ? { entry: Number(version) } : { version };
        const written = await client.bundles.verdict({
          ...of,
          ...(await connection.target(options.out)),
        });
        output.result(written, `The bundle was ${written.decision}: ${written.path}`);
      }),
    );

  program
    .command('media')
    .description('list removable drives and other places that bundles may come from')
    .action((_options, command: Command) =>
      runner.plain(command, async ({ client, output }) => {
        const places = await client.media.places(null);
        output.result(
          places,
          table(
            ['PLACE', 'KIND', 'FILE SYSTEM', 'FREE', ''],
            places.map(({ label, path, kind, fileSystem, freeBytes, readOnly }) => [
              label === path ? path : `${label} (${path})`,
              kind,
              fileSystem ?? '',
              freeBytes === null ? '' : bytes(freeBytes),
              readOnly ? 'read-only' : '',
            ]),
          ),
        );
      }),
    );

  program
    .command('import <source>')
    .description('take a bundle through the gate into the vault')
    .option('--name <name>', 'name of the model; else that of its card or folder')
    .option('--model <path>', pickHelp)
    .option(
      '--override-user <name>',
      'second person who takes the responsibility for a bundle that nobody trusted has signed',
    )
    .option(
      '--override-password-file <file>',
      'their password; without it STRONGROOM_OVERRIDE_PASSWORD, or a prompt',
    )
    .option('--reason <text>', 'why the bundle is let in all the same')
    .action(
      (
        source: string,
        options: {
          name?: string;
          model?: string;
          overrideUser?: string;
          overridePasswordFile?: string;
          reason?: string;
        },
        command: Command,
      ) =>
        runner.signedIn(command, async ({ connection, client, output }) => {
          if (options.overrideUser === undefined && options.overridePasswordFile !== undefined)
            throw new AppError('invalid-input', 'Name the second person with --override-user.');
          if (options.overrideUser !== undefined && options.reason === undefined)
            throw new AppError('invalid-input', 'An override needs a --reason.');
          const override =
            options.overrideUser === undefined
              ? {}
              : {
                  override: {
                    user: options.overrideUser,
                    reason: options.reason ?? '',
                    password: await readSecret({
                      file: options.overridePasswordFile,
                      variable: 'STRONGROOM_OVERRIDE_PASSWORD',
                      prompt: `Password of ${options.overrideUser}: `,
                      flag: '--override-password-file',
                    }),
                  },
                };
          const input = {
            source: await connection.file(source),
            ...(options.name === undefined ? {} : { name: options.name }),
            ...(options.model === undefined ? {} : { model: options.model }),
            ...override,
          };
          const { modelName, ...imported } = await connection.wait(
            contract.bundles.import,
            client.bundles.import(input),
          );
          output.result(
            { ...imported, model: modelName, facts: imported.model },
            `${modelName}@${imported.version} is ${imported.stage} (${shortDigest(imported.digest)}).\n${imported.summary}\n${imported.firstContact.message}`,
          );
          return imported.firstContact.status === 'passed' ? 0 : answerNo;
        }),
    );
}

function describeReport(report: InspectReport, hasTrust: boolean): string {
  const { name, format, files, totalBytes, signature, findings, verdict, model, summary } = report;
  const lines = [
    `${verdict === 'accept' ? 'Can be imported' : 'Refused'}: ${summary}`,
    '',
    `Bundle     ${name} (${format}, ${plural(files.length, 'file')}, ${bytes(totalBytes)})`,
    ...(report.signatures.length < 2
      ? [`Signature  ${signature.status}: ${signature.reason}`]
      : report.signatures.map(({ path, status, reason }) => `${path}  ${status}: ${reason}`)),
    ...(signature.expiresAt === null ? [] : [`Valid until ${signature.expiresAt.slice(0, 10)}`]),
    ...(model === null
      ? []
      : [
          `Model      ${model.path}, ${model.nodes} nodes, ${model.inputs.length} inputs, ${model.outputs.length} outputs`,
        ]),
    ...(report.models.length < 2 ? [] : [`Models     ${report.models.join(', ')}`]),
    ...report.declares.map(({ name: what, value }) => `Says       ${what}: ${value}`),
  ];
  for (const { path, from } of report.reused)
    lines.push(
      `Reused     ${path}: ${from === 'vault' ? 'from the vault' : 'from the import that was interrupted'}`,
    );
  if (findings.length > 0)
    lines.push(
      '',
      ...findings.map(
        ({ level, ruleId, title, path, message }) =>
          `${level.padEnd(8)} ${ruleId}  ${title} (${path === '' ? 'bundle' : path}): ${message}`,
      ),
    );
  if (signature.status === 'untrusted' && !hasTrust)
    lines.push(
      '',
      'No key was given to compare with: name the ones that you trust with --trust PEM.',
    );
  return lines.join('\n');
}
