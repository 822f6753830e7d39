import { Fragment } from 'react';
import { rulePage } from './rule-pages.ts';

/** What a rule means, why it is there and what to do, as its page in the documentation has it; else the short advice. */
export function RulePage({ ruleId, help }: { readonly ruleId: string; readonly help: string }) {
  const page = rulePage(ruleId);
  if (page === undefined) return <p>{help}</p>;
  return (
    <div className="rule-page">
      {page.map(({ title, blocks }) => (
        <section key={title}>
          <h3>{title}</h3>
          {blocks.map(({ kind, text }) =>
            kind === 'code' ? (
              <pre key={text} className="document">
                {text}
              </pre>
            ) : (
              <p key={text}>{withCode(text)}</p>
            ),
          )}
        </section>
      ))}
    </div>
  );
}

function withCode(text: string) {
  return text.split('`').map((part, at) => {
    const key = `${at} ${part}`;
    return at % 2 === 1 ? <code key={key}>{part}</code> : <Fragment key={key}>{part}</Fragment>;
  });
}
