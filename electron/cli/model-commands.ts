/** Models and what may happen to their versions. */
import type { Command } from 'commander';
import { diffAreas, type DiffArea } from '#shared/contract/diff.ts';
import { AppError } from '#shared/errors.ts';
import type { GraphEdge, GraphNode } from '#shared/contract/graph.ts';
import type { contract } from '#shared/contract/index.ts';
import type { LifecycleResult, ModelSummary, VersionSummary } from '#shared/contract/models.ts';
import type { ResultOf } from '#shared/rpc.ts';
import { bytes, shortDigest } from '#shared/words.ts';
import { plural } from '#platform/plural.ts';
import { reasonOf, wholeNumber, type CommandContext, type Runner } from './command.ts';
import { table } from './output.ts';

export function addModelCommands(program: Command, runner: Runner): void {
  const models = program.command('models').description('what is in the vault');
  models
    .command('list')
    .description('list the models')
    .action((_options, command: Command) =>
      runner.signedIn(command, async ({ client, output }) => {
        const list = await client.models.list(null);
        const rows = list.map((model) => [
          model.name,
          String(model.versions),
          model.production === null
            ? ''
            : `${model.name}@${model.production}${mark(model, model.production)}`,
          `${model.latest.version} (${model.latest.stage})${mark(model, model.latest.version)}`,
          model.monitorState,
          model.lastRunAt ?? 'never',
        ]);
        output.result(
          { models: list },
          list.length === 0
            ? 'No models yet. Import a bundle.'
            : table(['Model', 'Versions', 'Production', 'Newest', 'Drift', 'Last run'], rows),
        );
      }),
    );
  models
    .command('show <model>')
    .description('show a model with its versions, or one version of it')
    .action((model: string, _options, command: Command) =>
      runner.signedIn(command, (context) => show(context, model)),
    );
  models
    .command('diff <from> <to>')
    .description('compare two versions: graph, weights, inputs, outputs, metrics, card, files')
    .option('--only <areas>', `some of ${diffAreas.join(', ')}, separated by commas`)
    .action((from: string, to: string, options: { only?: string }, command: Command) =>
      runner.signedIn(command, async ({ client, output }) => {
        const wanted = areasIn(options.only);
        const diff = await client.models.diff({ from, to });
        const areas = diff.areas.filter(({ area }) => wanted.includes(area));
        const rows = areas.flatMap(({ area, changes }) =>
          changes.map((change) => [area, change.what, change.from ?? '', change.to ?? '']),
        );
        output.result(
          { ...diff, areas },
          [
            rows.length === 0 ? 'No difference.' : table(['', 'What', from, to], rows),
            ...areas.flatMap(({ area, added, removed, changed, changes }) => {
              const left = added + removed + changed - changes.length;
              return left === 0 ? [] : [`${area}: ${left} more differences are not listed.`];
            }),
            ...diff.notes,
          ].join('\n'),
        );
      }),
    );
  models
    .command('graph <version>')
    .description('list the nodes of a graph, with the shapes of what they give')
    .option('--part <number>', 'a subgraph or a function, by its number', wholeNumber, 0)
    .option('--model <path>', 'another model of the bundle')
    .action((version: string, options: { part: number; model?: string }, command: Command) =>
      runner.signedIn(command, (context) => graph(context, version, options)),
    );
  models
    .command('history <model>')
    .description('what happened to a model, newest first')
    .action((model: string, _options, command: Command) =>
      runner.signedIn(command, async ({ client, output }) => {
        const history = await client.models.history({ model });
        const rows = history.events.map((event) => [
          event.at,
          event.version === null ? '' : `@${event.version}`,
          event.kind,
          [event.from, event.to].filter((part) => part !== null).join(' → '),
          event.actor,
          event.reason ?? '',
        ]);
        output.result(
          history,
          table(['When (UTC)', 'Version', 'What', 'Change', 'Who', 'Reason'], rows),
        );
      }),
    );

  const decide = (
    name: string,
    description: string,
    act: (
      client: CommandContext['client'],
      input: { version: string; reason: string },
    ) => Promise<LifecycleResult>,
  ): void => {
    program
      .command(`${name} <version>`)
      .description(description)
      .option('--reason <text>', 'why')
      .action((version: string, options: { reason?: string }, command: Command) =>
        runner.signedIn(command, async ({ client, output }) => {
          const result = await act(client, { version, reason: reasonOf(options) });
          output.result(result, result.message);
        }),
      );
  };
  program
    .command('promote <version>')
    .description('move a version up; to production it may wait for a second person')
    .requiredOption('--to <stage>', 'candidate, approved or production')
    .option('--reason <text>', 'why')
    .action((version: string, options: { to: string; reason?: string }, command: Command) =>
      runner.signedIn(command, async ({ client, output }) => {
        const result = await client.models.promote({
          version,
          to: options.to as 'candidate',
          reason: reasonOf(options),
        });
        output.result(result, result.message);
      }),
    );
  decide('approve', 'approve a waiting promotion; never your own', (client, input) =>
    client.models.approve(input),
  );
  decide('reject', 'reject a version, or a promotion that waits', (client, input) =>
    client.models.reject(input),
  );
  decide('retire', 'take a version out of use', (client, input) => client.models.retire(input));
  program
    .command('rollback <model>')
    .description('put the previous production version back, after checking its files')
    .option('--reason <text>', 'why')
    .action((model: string, options: { reason?: string }, command: Command) =>
      runner.signedIn(command, async ({ client, output }) => {
        const result = await client.models.rollback({ model, reason: reasonOf(options) });
        output.result(result, result.message);
      }),
    );
}

async function graph(
  { client, output }: CommandContext,
  version: string,
  { part, model }: { readonly part: number; readonly model?: string },
): Promise<void> {
  const of = { version, ...(model === undefined ? {} : { path: model }) };
  const { path, parts } = await client.models.parts(of);
  const nodes: GraphNode[] = [];
  const edges: GraphEdge[] = [];
  for (let page: number | null = 0; page !== null;) {
    const got: ResultOf<typeof contract.models.graph> = await client.models.graph({
      ...of,
      part,
      page,
    });
    nodes.push(...got.nodes);
    edges.push(...got.edges);
    page = got.next;
  }
  const value = ({ name, type, shape }: GraphNode['outputs'][number]): string =>
    `${name}: ${type === '' ? '?' : type}${shape === null ? '' : `[${shape.map((size) => size ?? '?').join(',')}]`}`;
  const others = parts.filter(({ id }) => id !== part);
  output.result(
    { path, parts, nodes, edges },
    [
      table(
        ['Operator', 'Name', 'Weights', 'Gives'],
        nodes.map((node) => [
          node.kind === 'operator' ? node.op : node.kind,
          node.name,
          node.kind === 'operator' ? node.note : '',
          node.outputs.map(value).join('; '),
        ]),
      ),
      ...(others.length === 0
        ? []
        : [
            '',
            table(
              ['--part', 'Graph', 'Nodes'],
              others.map(({ id, kind, name, parent, nodes: count }) => [
                String(id),
                kind === 'subgraph' ? `${parent?.node ?? ''}: ${name}` : name,
                String(count),
              ]),
            ),
          ]),
    ].join('\n'),
  );
}

async function show({ client, output }: CommandContext, model: string): Promise<void> {
  if (model.includes('@')) {
    const version = await client.models.version({ version: model });
    const { facts } = version;
    const values = [
      ...facts.inputs.map((value) => ['input', value.name, value.type]),
      ...facts.outputs.map((value) => ['output', value.name, value.type]),
    ];
    output.result(
      version,
      [
        `${version.model}@${version.version}  ${version.stage}  ${version.digest}`,
        `Imported ${version.importedAt} by ${version.importedBy}; signature ${signatureOf(version)}`,
        ...(version.override === null
          ? []
          : [
              `Let in against the gate by ${version.override.by ?? 'a second person'}: ${version.override.reason ?? 'no reason was kept'}`,
            ]),
        `${facts.nodes} nodes, ${facts.parameters} parameters, ${plural(version.files.length, 'file')}, ${bytes(version.sizeBytes)}`,
        '',
        table(['', 'Name', 'Type'], values),
      ].join('\n'),
    );
    return;
  }
  const shown = await client.models.show({ model });
  const rows = shown.versions.map((version) => [
    `${version.model}@${version.version}`,
    version.stage,
    version.aliases.map((alias) => `@${alias}`).join(' '),
    shortDigest(version.digest),
    `${signatureOf(version)}${version.overridden ? ', overridden' : ''}`,
    version.importedAt,
    version.importedBy,
    version.pending === null ? '' : `waits for approval to ${version.pending.to}`,
  ]);
  output.result(
    shown,
    table(['Version', 'Stage', 'Alias', 'Digest', 'Signature', 'Imported (UTC)', 'By', ''], rows),
  );
}

function mark({ overridden }: Pick<ModelSummary, 'overridden'>, version: number): string {
  return overridden.includes(version) ? ', overridden' : '';
}

/** As it was judged, and what has become of its signer since. */
function signatureOf({
  signature,
  signerTrust,
}: Pick<VersionSummary, 'signature' | 'signerTrust'>): string {
  if (signerTrust === 'removed') return `${signature.status}, its signer is no longer trusted`;
  if (signerTrust === 'expired') return `${signature.status}, its certificate has ended`;
  return signature.status;
}

function areasIn(text: string | undefined): readonly DiffArea[] {
  if (text === undefined) return diffAreas;
  return text.split(',').map((word) => {
    const area = diffAreas.find((one) => one === word.trim());
    if (area === undefined)
      throw new AppError(
        'invalid-input',
        `"${word.slice(0, 40)}" is none of ${diffAreas.join(', ')}.`,
      );
    return area;
  });
}
