/** What differs between two versions in what the registry keeps of them: interface, operators, card, files. */
import type { ModelCard, TensorSpec } from '#shared/contract/bundles.ts';
import type { Change, Compared, DiffArea } from '#shared/contract/diff.ts';
import type { VersionDetail } from '#shared/contract/models.ts';

export function diffVersions(from: VersionDetail, to: VersionDetail): Compared[] {
  const area = (name: DiffArea, values: (version: VersionDetail) => Values): Compared => ({
    area: name,
    ...diffValues(values(from), values(to)),
  });
  return [
    area('inputs', ({ facts }) => specs(facts.inputs)),
    area('outputs', ({ facts }) => specs(facts.outputs)),
    area('operators', operators),
    area('metrics', ({ card }) => metrics(card)),
    area('card', ({ card }) => cardFields(card)),
    area('files', files),
    area('model', model),
  ];
}

/** Texts by what they tell. */
export type Values = ReadonlyMap<string, string>;

export function diffValues(
  from: Values,
  to: Values,
): { readonly same: number; readonly changes: Change[] } {
  const keys = [...new Set([...from.keys(), ...to.keys()])];
  const changes = keys
    .filter((key) => from.get(key) !== to.get(key))
    .map((key): Change => {
      const [before, after] = [from.get(key) ?? null, to.get(key) ?? null];
      const kind = before === null ? 'added' : after === null ? 'removed' : 'changed';
      return { what: key, kind, from: before, to: after };
    });
  return { same: keys.length - changes.length, changes };
}

function files({ files: list }: VersionDetail): Values {
  return new Map(
    list.map(({ path, bytes, sha256 }) => [path, `sha256:${sha256.slice(0, 12)}… ${bytes} B`]),
  );
}

function specs(list: readonly TensorSpec[]): Values {
  return new Map(
    list.map(({ name, kind, type, shape }) => [
      name,
      kind === 'tensor' ? `${type}[${shape.map((n) => n ?? '?').join(',')}]` : `${kind} of ${type}`,
    ]),
  );
}

function operators({ facts: { operators: list } }: VersionDetail): Values {
  return new Map(list.map(({ name, count }) => [name, String(count)]));
}

/** A metric may be told several times, for one slice each. */
function metrics(card: ModelCard | null): Values {
  return new Map(
    (card?.metrics ?? []).map(({ type, slice, value, low, high }) => [
      slice === null ? type : `${type} (${slice})`,
      low === null && high === null ? value : `${value} (${low ?? '?'} to ${high ?? '?'})`,
    ]),
  );
}

function cardFields(card: ModelCard | null): Values {
  if (card === null) return new Map();
  const told: readonly (readonly [string, string | null])[] = [
    ['name', card.name],
    ['version', card.version],
    ['description', card.description],
    ['task', card.task],
    ['approach', card.approach],
    ['architecture', card.architecture],
    ['licences', card.licences.join(', ')],
    ['made for', card.useCases.join('; ')],
    ['limits', card.limitations.join('; ')],
    ['ethics', card.ethics.join('; ')],
  ];
  return new Map(
    told.flatMap(([key, value]) => (value === null || value === '' ? [] : [[key, value]])),
  );
}

function model({ facts, signature, format }: VersionDetail): Values {
  return new Map([
    ['parameters', String(facts.parameters)],
    ['nodes', String(facts.nodes)],
    ['IR version', String(facts.irVersion)],
    ...facts.opsets.map(
      ({ domain, version }) =>
        [`opset ${domain === '' ? 'ai.onnx' : domain}`, String(version)] as const,
    ),
    [
      'signature',
      `${signature.status}${signature.signer === null ? '' : ` (${signature.signer})`}`,
    ],
    ['producer', facts.producer],
    ['format', format],
  ]);
}
