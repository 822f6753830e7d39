import { useEffect, useState } from 'react';
import { RecoveryPaper, type RecoverySecret } from '../../app/RecoveryPaper.tsx';
import { Button } from '../../ui/Button.tsx';
import { Field } from '../../ui/Field.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { textOf } from '../../lib/form.ts';

/** Shows the recovery key or its shares this once; two groups of one of them must be typed before the way is free. */
export function RecoveryKeyStep({
  recoveryKey,
  threshold,
  onConfirmed,
}: RecoverySecret & { readonly onConfirmed: () => void }) {
  const papers = recoveryKey.split('\n');
  const [asked] = useState(() => questionAbout(papers));
  const groups = papers[asked.paper]?.split('-') ?? [];
  const [wrong, setWrong] = useState(false);
  const isWhole = papers.length === 1;
  // The form before it was scrolled to its end.
  useEffect(() => {
    window.scrollTo(0, 0);
  }, []);
  return (
    <main className="gate">
      <div className="gate-card">
        <h1>Recovery key</h1>
        <p className="quiet">
          {isWhole
            ? 'If every administrator forgets the password, this key opens the vault, and nothing else does. It is shown this once. Write it down or print it, and keep it away from this machine.'
            : `If every administrator forgets the password, any ${threshold} of these ${papers.length} shares open the vault, and nothing else does. They are shown this once. Write each on its own paper and give them to different people.`}
        </p>
        <RecoveryPaper recoveryKey={recoveryKey} threshold={threshold} />
        <p className="no-print">
          {isWhole
            ? 'To be sure, type two of the groups:'
            : `To be sure, type two of the groups of share ${asked.paper + 1}:`}
        </p>
        <form
          className="no-print"
          onSubmit={(event) => {
            event.preventDefault();
            const form = new FormData(event.currentTarget);
            const right = asked.groups.every(
              (at) => textOf(form, `group-${at}`).trim().toUpperCase() === groups[at],
            );
            setWrong(!right);
            if (right) onConfirmed();
          }}
        >
          <div className="columns" data-of="2">
            {asked.groups.map((at) => (
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
              Compare the two groups with what is shown and type them again.
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

/** Two different groups of one paper, by chance; not those that are the same on all of them. */
function questionAbout(papers: readonly string[]): { paper: number; groups: readonly number[] } {
  const upTo = (end: number): number => Math.floor(Math.random() * end);
  const paper = upTo(papers.length);
  const [shown = [], other] = [papers[paper], papers[paper === 0 ? 1 : 0]].map((text) =>
    text?.split('-'),
  );
  const telling = [...shown.keys()].filter((at) => shown[at] !== other?.[at]);
  const first = upTo(telling.length - 1);
  const second = first + 1 + upTo(telling.length - 1 - first);
  return { paper, groups: [telling[first] ?? 0, telling[second] ?? 1] };
}
