import type { ComponentProps } from 'react';
import { FormDialog } from './FormDialog.tsx';
import { ReasonField } from './ReasonField.tsx';
import { textOf } from '../lib/form.ts';

/** A grave act: names its object, says what will happen, asks for the reason that the log will keep. */
export function ReasonDialog({
  onConfirm,
  children,
  ...rest
}: Omit<ComponentProps<typeof FormDialog>, 'onSubmit' | 'explain'> & {
  readonly explain: string;
  readonly onConfirm: (reason: string, form: FormData) => Promise<unknown>;
}) {
  return (
    <FormDialog
      {...rest}
      onSubmit={async (form) => {
        await onConfirm(textOf(form, 'reason'), form);
        rest.onClose();
      }}
    >
      {children}
      <ReasonField />
    </FormDialog>
  );
}
