import { useState } from 'react';
import { Field } from '../../ui/Field.tsx';
import { plural } from '../../lib/format.ts';
import { textOf } from '../../lib/form.ts';

/** A new password twice, with its length explained. Uncontrolled: it goes from the form to the core and stays nowhere. */
export function PasswordFields({
  minLength,
  onMatch,
}: {
  readonly minLength: number;
  readonly onMatch: (match: boolean) => void;
}) {
  const [length, setLength] = useState(0);
  const level = length === 0 ? 0 : length < minLength ? 1 : length < 14 ? 2 : length < 20 ? 3 : 4;
  const words = [
    '',
    `Too short: ${plural(minLength - length, 'character is', 'characters are')} missing.`,
    'Fair: longer is better.',
    'Good.',
    'Strong.',
  ];
  const [differs, setDiffers] = useState(false);
  const check = (form: HTMLFormElement | null): void => {
    if (form === null) return;
    const data = new FormData(form);
    setDiffers(textOf(data, 'again') !== '' && data.get('password') !== data.get('again'));
    onMatch(
      data.get('password') === data.get('again') && textOf(data, 'password').length >= minLength,
    );
  };
  return (
    <>
      <Field
        label="Password"
        hint={`At least ${minLength} characters. Four or five random words are easier to keep in mind than signs.`}
      >
        <input
          name="password"
          type="password"
          autoComplete="new-password"
          required
          minLength={minLength}
          onChange={(event) => {
            setLength([...event.currentTarget.value].length);
            check(event.currentTarget.form);
          }}
        />
      </Field>
      <div>
        <div className="meter" aria-hidden>
          {[1, 2, 3, 4].map((step) => (
            <span key={step} {...(step <= level ? { 'data-on': true } : {})} />
          ))}
        </div>
        <p className="meter-word" role="status">
          {words[level]}
        </p>
      </div>
      <Field label="Password again" {...(differs ? { hint: 'Not the same as above yet.' } : {})}>
        <input
          name="again"
          type="password"
          autoComplete="new-password"
          required
          onChange={(event) => check(event.currentTarget.form)}
        />
      </Field>
    </>
  );
}
