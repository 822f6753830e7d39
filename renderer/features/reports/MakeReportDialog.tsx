import { contract } from '#shared/contract/index.ts';
import { client } from '../../app/client.ts';
import { SaveDialog } from '../../app/SaveDialog.tsx';
import { finished } from '../../app/use-act.ts';
import { useQuery } from '../../app/use-query.ts';
import { Field } from '../../ui/Field.tsx';
import { textOf } from '../../lib/form.ts';

export function MakeReportDialog({ onClose }: { readonly onClose: () => void }) {
  const models = useQuery('models', () => client.models.list(null), ['models']);
  return (
    <SaveDialog
      title="Production history"
      label="Name of the file"
      name="production-history.pdf"
      act="Write report"
      done="Made and signed"
      onClose={onClose}
      onSave={(target, form) => {
        const model = textOf(form, 'model');
        const day = (name: string): string | undefined => {
          const text = textOf(form, name);
          return text === '' ? undefined : new Date(`${text}T00:00:00Z`).toISOString();
        };
        const from = day('from');
        const to = day('to');
        return finished(
          contract.reports.make,
          client.reports.make({
            kind: 'production-history',
            ...target,
            ...(model === '' ? {} : { model }),
            ...(from === undefined ? {} : { from }),
            ...(to === undefined ? {} : { to }),
          }),
        );
      }}
    >
      <Field label="Model">
        <select name="model" defaultValue="">
          <option value="">All models</option>
          {(models.data ?? []).map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </Field>
      <div className="columns" data-of="2">
        <Field label="From (UTC)" hint="Empty: from the start.">
          <input name="from" type="date" />
        </Field>
        <Field label="To (UTC)" hint="Empty: until now.">
          <input name="to" type="date" />
        </Field>
      </div>
    </SaveDialog>
  );
}
