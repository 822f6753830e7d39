import { client } from '../../app/client.ts';
import type { PickedPlace } from '../../app/FileDialog.tsx';
import { FormDialog } from '../../app/FormDialog.tsx';
import { ReasonField } from '../../app/ReasonField.tsx';
import { textOf } from '../../lib/form.ts';
import { Field } from '../../ui/Field.tsx';

/** Whose key, certificate or Sigstore root the picked file is, and how that was checked. */
export function AddTrustDialog({
  file,
  onClose,
}: {
  readonly file: PickedPlace;
  readonly onClose: () => void;
}) {
  const isRoot = /\.json$/i.test(file.name);
  return (
    <FormDialog
      title={`Trust ${file.name}`}
      {...(isRoot
        ? {
            explain:
              'A Sigstore root vouches for everybody who has an account somewhere. It is trusted for one signer only.',
          }
        : {})}
      act="Trust this key"
      onClose={onClose}
      onSubmit={async (form) => {
        const role = textOf(form, 'role').trim();
        await client.trust.add({
          name: textOf(form, 'name'),
          file: file.token,
          reason: textOf(form, 'reason'),
          ...(role === '' ? {} : { role }),
          ...(isRoot
            ? { identity: { subject: textOf(form, 'subject'), issuer: textOf(form, 'issuer') } }
            : {}),
        });
        onClose();
      }}
    >
      <Field label={isRoot ? 'Who the signer is' : 'Whose key it is'}>
        <input name="name" required maxLength={90} />
      </Field>
      {isRoot ? (
        <>
          <Field label="Identity" hint="Mail address or URI, exactly as in the certificate.">
            <input name="subject" required maxLength={500} autoComplete="off" />
          </Field>
          <Field label="Issuer" hint="Address of the service that vouches for the identity.">
            <input name="issuer" required maxLength={500} autoComplete="off" />
          </Field>
        </>
      ) : null}
      <Field label="Role" hint="If the policy asks for one, such as maker or validator.">
        <input name="role" maxLength={90} />
      </Field>
      <ReasonField
        label="How it was checked"
        hint="Such as: compared by telephone with the maker."
      />
    </FormDialog>
  );
}
