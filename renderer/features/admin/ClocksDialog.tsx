import type { Retention, RetentionKind } from '#shared/contract/policy.ts';
import { client } from '../../app/client.ts';
import { ReasonDialog } from '../../app/ReasonDialog.tsx';
import { Field } from '../../ui/Field.tsx';
import { textOf } from '../../lib/form.ts';

/** A kind of record as people call it, and where its clock starts. */
export const kindWords: Readonly<
  Record<RetentionKind, { readonly title: string; readonly from: string }>
> = {
  keptData: { title: 'Kept data of runs', from: 'after the run' },
  runRecords: { title: 'Records of runs', from: 'after the run' },
  retiredVersions: { title: 'Retired versions', from: 'after they were retired' },
  rejectedVersions: { title: 'Rejected versions', from: 'after they were rejected' },
};

const kinds = Object.keys(kindWords) as RetentionKind[];

export function ClocksDialog({
  retention,
  onClose,
}: {
  readonly retention: Retention;
  readonly onClose: () => void;
}) {
  return (
    <ReasonDialog
      title="Change the clocks of retention"
      explain="A clock that has run out makes things due; an administrator then erases them. The old and the new clocks stand in the log."
      act="Change clocks"
      onClose={onClose}
      onConfirm={(reason, form) => {
        const daysOf = (kind: RetentionKind): number | null => {
          const text = textOf(form, kind).trim();
          return text === '' ? null : Number(text);
        };
        return client.policy.set({
          reason,
          retention: {
            keptData: daysOf('keptData'),
            runRecords: daysOf('runRecords'),
            retiredVersions: daysOf('retiredVersions'),
            rejectedVersions: daysOf('rejectedVersions'),
          },
        });
      }}
    >
      {kinds.map((kind) => (
        <Field
          key={kind}
          label={`${kindWords[kind].title}, in days`}
          hint={`Counted ${kindWords[kind].from}; empty keeps them for ever.`}
        >
          <input
            name={kind}
            type="number"
            min={1}
            max={36_500}
            defaultValue={retention[kind] ?? ''}
          />
        </Field>
      ))}
    </ReasonDialog>
  );
}
