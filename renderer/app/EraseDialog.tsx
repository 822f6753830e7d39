import { useState } from 'react';
import type { EraseResult } from '#shared/contract/erasure.ts';
import { bytes } from '#shared/words.ts';
import { Button } from '../ui/Button.tsx';
import { CopyButton } from '../ui/CopyButton.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { Facts } from '../ui/Facts.tsx';
import { Field } from '../ui/Field.tsx';
import { Notice } from '../ui/Notice.tsx';
import { count } from '../lib/format.ts';
import { textOf } from '../lib/form.ts';
import { FormDialog } from './FormDialog.tsx';
import { ReasonField } from './ReasonField.tsx';

/** What cannot be undone: its object is typed once more, a reason is given, and what was destroyed is shown. */
export function EraseDialog({
  title,
  explain,
  confirm,
  onClose,
  onErase,
}: {
  readonly title: string;
  readonly explain: string;
  /** What has to be typed. */
  readonly confirm: string;
  readonly onClose: () => void;
  readonly onErase: (reason: string) => Promise<EraseResult>;
}) {
  const [typed, setTyped] = useState('');
  const [result, setResult] = useState<EraseResult>();
  if (result !== undefined)
    return (
      <Dialog title={title} onClose={onClose} stays={result.receipt !== null}>
        <Erased result={result} />
        <footer>
          <Button kind="primary" onClick={onClose}>
            Done
          </Button>
        </footer>
      </Dialog>
    );
  return (
    <FormDialog
      title={title}
      explain={explain}
      act="Erase"
      kind="danger"
      ready={typed === confirm}
      onClose={onClose}
      onSubmit={async (form) => setResult(await onErase(textOf(form, 'reason')))}
    >
      <Field label={`Type ${confirm} to confirm`}>
        <input
          autoComplete="off"
          spellCheck={false}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      </Field>
      <ReasonField />
    </FormDialog>
  );
}

function Erased({ result }: { readonly result: EraseResult }) {
  const { receipt, backups, remaining } = result;
  return (
    <div className="stack">
      <Notice tone="ok" title={result.message}>
        {result.complete
          ? null
          : 'What the keys leave could not be cleared up yet; the next sign-in does it.'}
      </Notice>
      <Facts
        rows={[
          ['Keys destroyed', count(result.keys)],
          ...(result.files === 0
            ? []
            : [['Files removed', `${count(result.files)}, ${bytes(result.bytes)}`] as const]),
          ...(result.rows === 0 ? [] : [['Rows', count(result.rows)] as const]),
          ...(remaining === 0 ? [] : [['Still due', count(remaining)] as const]),
          ...(receipt === null
            ? []
            : ([
                ['Log entry', String(receipt.logIndex)],
                [
                  'Salt',
                  <span key="salt" className="row">
                    <span className="mono wrap-anywhere">{receipt.salt}</span>
                    <CopyButton size="small" text={receipt.salt}>
                      Copy salt
                    </CopyButton>
                  </span>,
                ],
              ] as const)),
        ]}
      />
      {receipt === null ? null : (
        <p className="quiet">
          The salt is the receipt of the person and kept nowhere in the vault: SHA-256 of salt and
          id is what the log entry says in place of the id.
        </p>
      )}
      {backups.length === 0 ? null : (
        <Notice tone="watch" title="Older backups still hold the keys">
          Whoever keeps them has to destroy them:{' '}
          {backups.map(({ name, place }) => `${name} (${place})`).join(', ')}.
        </Notice>
      )}
    </div>
  );
}
