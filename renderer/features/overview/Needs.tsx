import type { ReactNode } from 'react';
import { contract } from '#shared/contract/index.ts';
import type { ModelSummary } from '#shared/contract/models.ts';
import type { RunSummary } from '#shared/contract/runs.ts';
import { linkTo } from '../../app/routes.ts';
import { useMay } from '../../app/session.ts';
import { useApp } from '../../app/store.ts';
import { plural } from '../../lib/format.ts';
import { Notice } from '../../ui/Notice.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { StateIcon, type Tone } from '../../ui/State.tsx';

interface Need {
  readonly key: string;
  readonly tone: Tone;
  readonly word: string;
  readonly title: string;
  readonly text: ReactNode;
  readonly act: string;
  readonly href: string;
}

const most = 6;

/** What waits for somebody: a broken log, decisions, drift, runs cut short, quarantine. Says so when nothing does. */
export function Needs({
  models,
  runs,
  due,
}: {
  readonly models: readonly ModelSummary[];
  readonly runs: readonly RunSummary[];
  /** Things that have been kept for longer than the clocks of retention allow. */
  readonly due: number;
}) {
  const may = useMay();
  const broken = useApp(({ status }) => status?.log?.lastVerified?.status === 'broken');
  const needs: readonly Need[] = [
    ...(broken ? [brokenLog] : []),
    ...models.filter(({ pending }) => pending > 0).map(approval(may(contract.models.approve))),
    ...models.filter(({ monitorState }) => monitorState === 'act').map(drifted),
    ...runs
      // A later run of the model has settled the matter.
      .filter(({ model }, at) => runs.findIndex((run) => run.model === model) === at)
      .filter(({ state }) => state === 'interrupted')
      .map(interrupted),
    ...models.filter(({ latest }) => latest.stage === 'quarantined').map(quarantined),
    ...(due === 0 ? [] : [overdue(due)]),
  ];
  if (needs.length === 0)
    return (
      <Notice tone="ok" title="Nothing needs you now">
        No approval waits, no model drifts, no run was cut short, nothing is in quarantine or due
        for erasure.
      </Notice>
    );
  return (
    <Panel title={`${plural(needs.length, 'thing needs', 'things need')} somebody`} flush>
      <ul className="needs">
        {needs.slice(0, most).map(({ key, tone, word, title, text, act, href }) => (
          <li key={key}>
            <StateIcon tone={tone} word={word} />
            <div>
              <strong>{title}</strong>
              <div className="quiet small">{text}</div>
            </div>
            <a className="button" data-size="small" href={href} aria-label={`${act}: ${title}`}>
              {act}
            </a>
          </li>
        ))}
      </ul>
      {needs.length > most ? (
        <p className="more quiet">{`And ${needs.length - most} more, to be found under Models.`}</p>
      ) : null}
    </Panel>
  );
}

const brokenLog: Need = {
  key: 'log',
  tone: 'act',
  word: 'Broken',
  title: 'The log is broken',
  text: 'Its last verification found a change. Stop working with this vault and call whoever keeps its checkpoints.',
  act: 'Look',
  href: linkTo('audit'),
};

function approval(mayApprove: boolean): (model: ModelSummary) => Need {
  return ({ name, pending, latest }) => ({
    key: `waiting ${name}`,
    tone: 'watch',
    word: 'Waits',
    title: `${name}: ${plural(pending, 'promotion waits', 'promotions wait')} for approval`,
    text:
      latest.pending === null
        ? mayApprove
          ? 'Look at the version and decide.'
          : 'An approver has to decide.'
        : `${latest.pending.requestedBy} asks for ${latest.pending.to}: “${shortened(latest.pending.reason)}”`,
    act: mayApprove ? 'Decide' : 'Look',
    href: linkTo('models', name),
  });
}

function drifted({ name }: ModelSummary): Need {
  return {
    key: `drift ${name}`,
    tone: 'act',
    word: 'Drifted',
    title: `${name}: the last run drifted`,
    text: 'Its data moved away from the reference by more than chance. The predictions may no longer hold.',
    act: 'See drift',
    href: linkTo('monitor', name),
  };
}

function interrupted({ runId, inputName, model }: RunSummary): Need {
  return {
    key: `run ${runId}`,
    tone: 'watch',
    word: 'Cut short',
    title: `${model}: the run on ${inputName} was cut short`,
    text: 'The program ended before the run did. No part of its result was kept; run it again.',
    act: 'Look',
    href: linkTo('run', 'result', runId),
  };
}

function quarantined({ name, latest }: ModelSummary): Need {
  return {
    key: `quarantine ${name}`,
    tone: 'watch',
    word: 'Quarantine',
    title: `${name}@${latest.version} is in quarantine`,
    text: 'It may not run until somebody makes it a candidate.',
    act: 'Look',
    href: linkTo('models', name),
  };
}

function overdue(due: number): Need {
  return {
    key: 'retention',
    tone: 'watch',
    word: 'Due',
    title: `${plural(due, 'thing is', 'things are')} due for erasure`,
    text: 'Kept for longer than the clocks of retention allow. Nothing is erased by itself.',
    act: 'Look',
    href: linkTo('admin', 'storage'),
  };
}

function shortened(text: string): string {
  return text.length > 140 ? `${text.slice(0, 139)}…` : text;
}
