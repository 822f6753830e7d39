import { Button } from '../ui/Button.tsx';
import { Field } from '../ui/Field.tsx';

export interface RecoverySecret {
  /** The key, or its shares, one on a line. */
  readonly recoveryKey: string;
  /** How many of the shares open the vault; undefined for a key that is whole. */
  readonly threshold: number | undefined;
}

/** A recovery key, or its shares, each on a sheet of its own in print, as it is to be written down; shown once. */
export function RecoveryPaper({ recoveryKey, threshold }: RecoverySecret) {
  const papers = recoveryKey.split('\n');
  return (
    <>
      {papers.map((paper, at) => {
        const name = papers.length === 1 ? 'Recovery key' : `Share ${at + 1} of ${papers.length}`;
        return (
          <section key={paper} className="stack sheet">
            {threshold === undefined ? null : (
              <h3>{`${name}: any ${threshold} of them open the vault`}</h3>
            )}
            <div className="recovery-key" role="group" aria-label={name}>
              {paper.split('-').map((group, position) => (
                <span key={position}>
                  <small>{position + 1}</small>
                  {group}
                </span>
              ))}
            </div>
          </section>
        );
      })}
      <div className="row">
        <Button onClick={() => window.print()}>
          {papers.length === 1 ? 'Print the key' : 'Print the shares'}
        </Button>
      </div>
    </>
  );
}

const recoverySplits = [
  ['whole', 'One key, on one paper'],
  ['2of3', 'Three shares, any two of them are needed'],
  ['3of5', 'Five shares, any three of them are needed'],
] as const;

/** How a recovery key is handed out: the field `split` of a form. */
export function RecoverySplitField(words: { readonly label: string; readonly hint?: string }) {
  return (
    <Field {...words}>
      <select name="split" defaultValue="whole">
        {recoverySplits.map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
    </Field>
  );
}

/** Undefined for a key that stays whole. */
export function splitOf(choice: string): { threshold: number; shares: number } | undefined {
  const match = /^(\d+)of(\d+)$/.exec(choice);
  return match === null ? undefined : { threshold: Number(match[1]), shares: Number(match[2]) };
}
