import type { Prediction } from '#shared/contract/records.ts';
import { shortDigest } from '#shared/words.ts';
import { CopyButton } from '../../ui/CopyButton.tsx';
import { Facts } from '../../ui/Facts.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { linkTo } from '../../app/routes.ts';
import { exact } from './numbers.ts';

/** The prediction, on which side of the threshold it is, and what the log holds of it. */
export function ResultPanel({ prediction }: { readonly prediction: Prediction }) {
  const { outputs, target, value, threshold, commitment, logIndex } = prediction;
  const label = outputs.find(
    ({ value: found }) => typeof found === 'string' && Number.isNaN(Number(found)),
  );
  const headline =
    label === undefined
      ? value === null
        ? 'Predicted'
        : `${target ?? ''} ${exact(value)}`
      : String(label.value);
  return (
    <Panel title="Prediction">
      <div className="stack">
        <div role="status">
          <p className="prediction">{headline}</p>
          {value === null || threshold === null ? null : (
            <p>
              {`${target ?? ''} is ${exact(value)}, ${value >= threshold ? 'at or above' : 'below'} the threshold ${exact(threshold)}`}
            </p>
          )}
        </div>
        <Facts rows={outputs.map(({ name, value: found }) => [name, textOf(found)])} />
        <details>
          <summary>What the log holds</summary>
          <div className="stack">
            <p className="quiet small">
              A commitment that only somebody with the record, the outputs and this salt can check.
              The salt is kept nowhere: save it if you will have to show what was asked.
            </p>
            <Facts
              rows={[
                ['Entry', <a href={linkTo('audit', String(logIndex))}>{`#${logIndex}`}</a>],
                [
                  'Commitment',
                  <span className="row">
                    <code>{shortDigest(commitment.digest)}</code>
                    <CopyButton text={commitment.digest} size="small">
                      Copy commitment
                    </CopyButton>
                  </span>,
                ],
                [
                  'Salt',
                  <span className="row">
                    <code>{`${commitment.salt.slice(0, 8)}…`}</code>
                    <CopyButton text={commitment.salt} size="small">
                      Copy salt
                    </CopyButton>
                  </span>,
                ],
              ]}
            />
          </div>
        </details>
      </div>
    </Panel>
  );
}

function textOf(value: Prediction['outputs'][number]['value']): string {
  if (value === null) return 'missing';
  return typeof value === 'number' ? exact(value) : String(value);
}
