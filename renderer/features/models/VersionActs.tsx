import { useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import type { VersionSummary } from '#shared/contract/models.ts';
import { client } from '../../app/client.ts';
import { EraseDialog } from '../../app/EraseDialog.tsx';
import { ReasonDialog } from '../../app/ReasonDialog.tsx';
import { useMay, useSession } from '../../app/session.ts';
import { Button } from '../../ui/Button.tsx';

type Act = 'candidate' | 'approved' | 'production' | 'approve' | 'reject' | 'retire' | 'erase';

const words: Readonly<
  Record<
    Act,
    { readonly button: string; readonly explain: string; readonly kind: 'primary' | 'danger' }
  >
> = {
  candidate: {
    button: 'Make candidate',
    explain: 'It may then run, and can be promoted further.',
    kind: 'primary',
  },
  approved: {
    button: 'Mark approved',
    explain: 'It is ready for production, and not in it yet.',
    kind: 'primary',
  },
  production: {
    button: 'Promote to production',
    explain:
      'It becomes what a bare model name means. If the policy asks for a second person, it waits for their approval.',
    kind: 'primary',
  },
  approve: {
    button: 'Approve',
    explain: 'It goes into production at once, under your name.',
    kind: 'primary',
  },
  reject: {
    button: 'Reject',
    explain:
      'A waiting promotion is turned down; without one, the version is rejected and may not run.',
    kind: 'danger',
  },
  retire: {
    button: 'Retire',
    explain: 'It may no longer run. It stays in the vault, and in the history.',
    kind: 'danger',
  },
  erase: {
    button: 'Erase…',
    explain:
      'The keys of its files are destroyed, so nobody can read them again, from this vault or from a copy of its files. Its row, its approvals and the log stay.',
    kind: 'danger',
  },
};

/** What may be done with a version now, by this person. */
export function VersionActs({ version }: { readonly version: VersionSummary }) {
  const may = useMay();
  const { user } = useSession();
  const [act, setAct] = useState<Act>();
  const name = `${version.model}@${version.version}`;
  const possible = actsFor(version).filter((each) => {
    if (each === 'approve')
      return (
        may(contract.models.approve) &&
        user !== version.pending?.requestedBy &&
        user !== version.importedBy
      );
    if (each === 'reject') return may(contract.models.reject);
    if (each === 'retire') return may(contract.models.retire);
    if (each === 'erase') return may(contract.erasure.version);
    return may(contract.models.promote);
  });
  const confirm = (chosen: Exclude<Act, 'erase'>, reason: string): Promise<unknown> => {
    if (chosen === 'approve') return client.models.approve({ version: name, reason });
    if (chosen === 'reject') return client.models.reject({ version: name, reason });
    if (chosen === 'retire') return client.models.retire({ version: name, reason });
    return client.models.promote({ version: name, to: chosen, reason });
  };
  return (
    <div className="row">
      {possible.map((each) => (
        <Button
          key={each}
          size="small"
          kind={each === 'approve' ? 'primary' : 'plain'}
          aria-label={`${words[each].button} ${name}`}
          onClick={() => setAct(each)}
        >
          {words[each].button}
        </Button>
      ))}
      {act === 'erase' ? (
        <EraseDialog
          title={`Erase ${name}`}
          explain={words.erase.explain}
          confirm={name}
          onClose={() => setAct(undefined)}
          onErase={(reason) => client.erasure.version({ version: name, reason })}
        />
      ) : null}
      {act === undefined || act === 'erase' ? null : (
        <ReasonDialog
          title={`${words[act].button}: ${name}`}
          explain={`${words[act].explain}${act === 'retire' && version.stage === 'production' ? ' It is in production now; afterwards no version is, until another is promoted.' : ''}`}
          act={words[act].button}
          kind={words[act].kind}
          onClose={() => setAct(undefined)}
          onConfirm={(reason) => confirm(act, reason)}
        />
      )}
    </div>
  );
}

function actsFor({ stage, pending }: VersionSummary): Act[] {
  if (pending !== null) return ['approve', 'reject'];
  switch (stage) {
    case 'quarantined':
      return ['candidate', 'reject', 'erase'];
    case 'candidate':
      return ['production', 'approved', 'reject'];
    case 'approved':
      return ['production', 'retire'];
    case 'production':
      return ['retire'];
    case 'retired':
    case 'rejected':
      return ['erase'];
    case 'erased':
      return [];
  }
}
