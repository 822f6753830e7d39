import { useState } from 'react';
import { client } from '../../app/client.ts';
import { SaveDialog } from '../../app/SaveDialog.tsx';
import { Button } from '../../ui/Button.tsx';

/** The signed receipt of a run once more, for somebody outside. */
export function SaveReceipt({
  runId,
  outputName,
}: {
  readonly runId: string;
  readonly outputName: string;
}) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button size="small" onClick={() => setOpen(true)}>
        Save receipt…
      </Button>
      {open ? (
        <SaveDialog
          title="Receipt of this run"
          explain="What was read and written, by which version, for whom and when, as a statement that the vault has signed. Anybody can check it without the vault: Reports, Verify a file. Put it beside the result, and that is compared too."
          label="Name of the file"
          name={`${outputName}.receipt.json`}
          act="Write receipt"
          onClose={() => setOpen(false)}
          onSave={(target) => client.runs.receipt({ runId, ...target })}
        />
      ) : null}
    </>
  );
}
