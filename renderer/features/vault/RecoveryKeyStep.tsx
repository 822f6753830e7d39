import { useMemo, useState } from 'react';
import { Button } from '../../ui/Button.tsx';
import { Field } from '../../ui/Field.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { textOf } from '../../lib/form.ts';

/** Shows the recovery key this once; two of its groups must be typed before the way is free. */
export function RecoveryKeyStep({
  recoveryKey,
  onConfirmed,
}: {
  readonly recoveryKey: string;
  readonly onConfirmed: () => void;
}) {
  const groups = recoveryKey.split('-');
  const asked = useMemo(() => {
    const first = Math.floor(Math.random() * (groups.length - 1));
    return [first, first + 1 + Math.floor(Math.random() * (groups.length - 1 - first))];
  }, [groups.length]);
  const [wrong, setWrong] = useState(false);
  return (
    <main className="gate">
      <div className="gate-card">
        <h1>Recovery key</h1>
        <p className="quiet">
          If every administrator forgets the password, this key opens the vault, and nothing else
          does. It is shown this once. Write it down or print it, and keep it away from this
          machine.
        </p>
        <div className="recovery-key" aria-label="Recovery key">
          {groups.map((group, at) => (
            <span key={at}>
              <small>{at + 1}</small>
              {group}
            </span>
          ))}
        </div>
        <div className="row">
          <Button onClick={() => window.print()}>Print the key</Button>
        </div>
        <p className="no-print">To be sure, type two of the groups:</p>
        <form
          className="no-print"
          onSubmit={(event) => {
            event.preventDefault();
            const form = new FormData(event.currentTarget);
            const right = asked.every(
              (at) => textOf(form, `group-${at}`).trim().toUpperCase() === groups[at],
            );
            setWrong(!right);
            if (right) onConfirmed();
          }}
        >
          <div className="columns" data-of="2">
            {asked.map((at) => (
              <Field key={at} label={`Group ${at + 1}`}>
                <input
                  name={`group-${at}`}
                  className="mono"
                  required
                  autoComplete="off"
                  spellCheck={false}
                />
              </Field>
            ))}
          </div>
          {wrong ? (
            <Notice tone="watch" title="That is not what stands above">
              Compare the two groups with the key and type them again.
            </Notice>
          ) : null}
          <Button submit kind="primary">
            I have written it down
          </Button>
        </form>
      </div>
    </main>
  );
}
