import { useState } from 'react';
import type { Operation } from '#shared/contract/operations.ts';
import { bytes } from '#shared/words.ts';
import { count, duration } from '../lib/format.ts';
import { Button } from '../ui/Button.tsx';
import { client } from './client.ts';

/** How far a piece of work is, how fast it goes, how long it will take, and a way to stop it. */
export function JobProgress({ operation }: { readonly operation: Operation }) {
  const { done, total, unit, step, startedAt, operationId } = operation;
  const [stopping, setStopping] = useState(false);
  const seconds = (Date.now() - Date.parse(startedAt)) / 1000;
  const rate = seconds > 0.5 ? done / seconds : 0;
  const amount = (value: number): string =>
    unit === 'bytes' ? bytes(value) : count(Math.round(value));
  const left =
    total !== null && rate > 0 && done > 0 ? ` · ${duration((total - done) / rate)} left` : '';
  const stop = (): void => {
    setStopping(true);
    void client.operations.cancel({ operationId }).catch(() => undefined); // it has just ended
  };
  return (
    <div className="stack">
      <div className="row" data-between>
        <span>{stopping ? 'Stopping' : step === '' ? 'Working' : step}</span>
        <Button size="small" disabled={stopping} onClick={stop}>
          Cancel
        </Button>
      </div>
      <progress
        className="progress"
        aria-label={step === '' ? 'Working' : step}
        {...(total === null ? {} : { max: total, value: done })}
      />
      <span className="quiet small">
        {unit === 'steps'
          ? ''
          : `${amount(done)}${total === null ? '' : ` of ${amount(total)}`}${rate > 0 ? ` · ${amount(rate)} / s` : ''}${left}`}
      </span>
    </div>
  );
}
