/** What differs between two versions, as short lines for people; equal things are left out. */
import type { VersionDetail } from '#shared/contract/models.ts';
import type { TensorSpec } from '#shared/contract/bundles.ts';

export interface Change {
  readonly what: string;
  readonly from: string | null;
  readonly to: string | null;
}

export function diffVersions(from: VersionDetail, to: VersionDetail): Change[] {
  return [
    ...keyed('file', files(from), files(to)),
    ...keyed('input', specs(from.facts.inputs), specs(to.facts.inputs)),
    ...keyed('output', specs(from.facts.outputs), specs(to.facts.outputs)),
    ...keyed('operator', operators(from), operators(to)),
    ...keyed('opset', opsets(from), opsets(to)),
    ...keyed('', facts(from), facts(to)),
  ];
}

type Values = ReadonlyMap<string, string>;

function keyed(kind: string, from: Values, to: Values): Change[] {
  return [...new Set([...from.keys(), ...to.keys()])]
    .toSorted()
    .filter((key) => from.get(key) !== to.get(key))
    .map((key) => ({
      what: `${kind} ${key}`.trim(),
      from: from.get(key) ?? null,
      to: to.get(key) ?? null,
    }));
}

function files({ files: list }: VersionDetail): Values {
  return new Map(
    list.map(({ path, bytes, sha256 }) => [path, `sha256:${sha256.slice(0, 12)}… ${bytes} B`]),
  );
}

function specs(list: readonly TensorSpec[]): Values {
  return new Map(
    list.map(({ name, type, shape }) => [name, `${type}[${shape.map((n) => n ?? '?').join(',')}]`]),
  );
}

function operators({ facts: { operators: list } }: VersionDetail): Values {
  return new Map(list.map(({ name, count }) => [name, String(count)]));
}

function opsets({ facts: { opsets: list } }: VersionDetail): Values {
  return new Map(
    list.map(({ domain, version }) => [domain === '' ? 'ai.onnx' : domain, String(version)]),
  );
}

function facts(version: VersionDetail): Values {
  return new Map([
    ['parameters', String(version.facts.parameters)],
    [
      'signature',
      `${version.signature.status}${version.signature.signer === null ? '' : ` (${version.signature.signer})`}`,
    ],
    ['producer', version.facts.producer],
    ['format', version.format],
  ]);
}
