import { useState } from 'react';
import type { Finding } from '#shared/contract/bundles.ts';
import { Button } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { Facts } from '../../ui/Facts.tsx';
import { State, StateIcon } from '../../ui/State.tsx';
import { levelTone } from '../../ui/words.ts';
import { RulePage } from './RulePage.tsx';

/** What the gate found, gravest first; each opens what its rule means and what to do. */
export function Findings({ findings }: { readonly findings: readonly Finding[] }) {
  const [open, setOpen] = useState<Finding>();
  const close = (): void => setOpen(undefined);
  if (findings.length === 0) return <p className="small">Nothing that speaks against it.</p>;
  return (
    <>
      <ul className="plain-list">
        {ranked(findings).map((finding, at) => (
          <li key={`${finding.ruleId} ${at}`}>
            <StateIcon tone={levelTone(finding.level)} word={finding.level} />
            <div>
              <Button kind="link" onClick={() => setOpen(finding)}>
                {finding.title}
              </Button>
              <div className="quiet small mono">{finding.ruleId}</div>
            </div>
          </li>
        ))}
      </ul>
      {open === undefined ? null : (
        <Dialog title={open.title} onClose={close}>
          <Facts
            rows={[
              [
                'Level',
                <State key="level" tone={levelTone(open.level)}>
                  {open.level}
                </State>,
              ],
              [
                'Rule',
                <span key="rule" className="mono">
                  {open.ruleId}
                </span>,
              ],
              [
                'Where',
                <span key="path" className="mono wrap-anywhere">
                  {open.path === '' ? 'the bundle' : open.path}
                </span>,
              ],
              ['What was seen', open.message],
            ]}
          />
          <RulePage ruleId={open.ruleId} help={open.help} />
          <footer>
            <Button onClick={close}>Close</Button>
          </footer>
        </Dialog>
      )}
    </>
  );
}

function ranked(findings: readonly Finding[]): Finding[] {
  const rank = { error: 0, warning: 1, note: 2 };
  return findings.toSorted((a, b) => rank[a.level] - rank[b.level]);
}
