import { useState } from 'react';
import { Button } from '../ui/Button.tsx';
import { client } from './client.ts';
import { SaveDialog } from './SaveDialog.tsx';

/** The signed verdict of the gate on an import, for somebody outside: of a version, or of the log entry that announced it. */
export function SaveVerdict({
  of,
  about,
  kind = 'plain',
}: {
  readonly of: { readonly version: string } | { readonly entry: number };
  /** What the verdict is about, in words. */
  readonly about: string;
  readonly kind?: 'plain' | 'link';
}) {
  const [open, setOpen] = useState(false);
  const name = 'version' in of ? of.version.replace('@', '-') : `entry-${of.entry}`;
  return (
    <>
      <Button
        size="small"
        kind={kind}
        aria-label={`Save verdict of ${about}`}
        onClick={() => setOpen(true)}
      >
        Save verdict…
      </Button>
      {open ? (
        <SaveDialog
          title={`Verdict of ${about}`}
          explain="What the gate found and decided, as a statement that the vault has signed (SVR), and the findings for other tools (SARIF). Anybody can check it without the vault: Reports, Verify a file."
          label="Name of the new folder"
          name={`verdict-${name}`}
          act="Write verdict"
          onClose={() => setOpen(false)}
          onSave={(target) => client.bundles.verdict({ ...of, ...target })}
        />
      ) : null}
    </>
  );
}
