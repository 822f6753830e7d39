import { Field } from '../ui/Field.tsx';

/** Why somebody did it, in words that the log keeps. Blanks are not a reason. */
export function ReasonField({
  label = 'Reason',
  hint = 'Stands in the log, for good.',
}: {
  readonly label?: string;
  readonly hint?: string;
}) {
  return (
    <Field label={label} hint={hint}>
      <textarea
        name="reason"
        required
        maxLength={2000}
        onChange={({ currentTarget }) =>
          currentTarget.setCustomValidity(
            currentTarget.value.trim() === '' ? 'Say why, in a few words.' : '',
          )
        }
      />
    </Field>
  );
}
