import { Button } from './Button.tsx';

/** A file or folder that is chosen in a dialog: what it is for, the button, and what was chosen or a hint. */
export function PlaceField({
  label,
  what,
  chosen,
  hint,
  onChoose,
}: {
  readonly label: string;
  readonly what: 'file' | 'folder';
  /** Its name or path. */
  readonly chosen: string | undefined;
  readonly hint: string;
  readonly onChoose: () => void;
}) {
  return (
    <div className="field">
      <span className="label">{label}</span>
      <div className="row">
        <Button onClick={onChoose}>
          {chosen === undefined ? `Choose a ${what}` : `Choose another ${what}`}
        </Button>
        <span className="wrap-anywhere">{chosen}</span>
      </div>
      {chosen === undefined ? <span className="hint">{hint}</span> : null}
    </div>
  );
}
