/** A log with a story in it: two versions imported, promoted with a second person, scored, rolled back, retired. */
import type { AuditLog, NewEntry } from '#domain/audit/index.ts';

const digestOf = (seed: string): string => `sha256:${seed.repeat(64).slice(0, 64)}`;
export const versionDigests: Readonly<Record<string, string>> = {
  'credit-risk@1': digestOf('1a'),
  'credit-risk@2': digestOf('2b'),
};

export function writeStory(log: AuditLog): void {
  const act = (
    actor: string,
    action: NewEntry['action'],
    outcome: {
      version: string;
      details: Record<string, unknown>;
      reason?: string;
      objects?: NewEntry['objects'];
      result?: NewEntry['outcome'];
      code?: string;
    },
  ): void => {
    const by = { actor, role: 'analyst', session: 's' };
    const { index: of } = log.append({
      ...by,
      phase: 'begin',
      action,
      objects: [],
      ...(outcome.reason === undefined ? {} : { reason: outcome.reason }),
    });
    log.append({
      ...by,
      phase: 'outcome',
      action,
      of,
      outcome: outcome.result ?? 'ok',
      objects: [
        {
          type: 'version',
          id: outcome.version,
          digest: versionDigests[outcome.version] ?? digestOf('00'),
        },
        ...(outcome.objects ?? []),
      ],
      details: outcome.details,
      ...(outcome.code === undefined ? {} : { code: outcome.code }),
    });
  };
  const score = (version: string, rows: number, rejected: number): void =>
    act('Grace', 'run.score', {
      version,
      details: { rows, rejected, seconds: 1 },
      objects: [
        { type: 'input', id: 'data', digest: digestOf('c3') },
        { type: 'output', id: 'predictions', digest: digestOf('d4') },
      ],
    });
  const imported = (version: string): void =>
    act('Grace', 'bundle.import', {
      version,
      details: { signature: 'verified', signer: 'Model maker' },
    });
  const promoted = (version: string, reason: string): void => {
    act('Grace', 'model.promote', {
      version,
      reason,
      details: { status: 'pending', from: 'candidate', to: 'production' },
    });
    act('Alan', 'model.approve', {
      version,
      reason: 'checked',
      details: { status: 'done', from: 'candidate', to: 'production', alias: 'production' },
    });
  };
  imported('credit-risk@1');
  promoted('credit-risk@1', 'first release');
  score('credit-risk@1', 100, 2);
  score('credit-risk@1', 50, 0);
  imported('credit-risk@2');
  score('credit-risk@2', 10, 0);
  act('Mallory', 'model.promote', {
    version: 'credit-risk@2',
    details: {},
    reason: 'now',
    result: 'refused',
    code: 'forbidden',
  });
  promoted('credit-risk@2', 'better');
  score('credit-risk@2', 70, 1);
  act('Alan', 'model.rollback', {
    version: 'credit-risk@1',
    reason: 'drift',
    details: {
      status: 'done',
      from: 'approved',
      to: 'production',
      alias: 'production',
      previous: 'credit-risk@2',
    },
  });
  score('credit-risk@1', 5, 0);
  act('Alan', 'model.retire', {
    version: 'credit-risk@1',
    reason: 'end of life',
    details: { status: 'done', from: 'production', to: 'retired' },
  });
}
