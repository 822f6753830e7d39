import { Page } from '../../app/Page.tsx';
import { linkTo } from '../../app/routes.ts';
import { CustodyTab } from './CustodyTab.tsx';
import { KeysTab } from './KeysTab.tsx';
import { PolicyTab } from './PolicyTab.tsx';
import { RolesTab } from './RolesTab.tsx';
import { ServingTab } from './ServingTab.tsx';
import { StorageTab } from './StorageTab.tsx';
import { SystemTab } from './SystemTab.tsx';
import { TrustTab } from './TrustTab.tsx';
import { UsersTab } from './UsersTab.tsx';

const tabs = [
  ['users', 'Users', UsersTab],
  ['roles', 'Roles', RolesTab],
  ['keys', 'Keys', KeysTab],
  ['trust', 'Trust', TrustTab],
  ['policy', 'Policy', PolicyTab],
  ['custody', 'Custody', CustodyTab],
  ['storage', 'Storage and retention', StorageTab],
  ['serving', 'Serving', ServingTab],
  ['system', 'System', SystemTab],
] as const;

export function AdminPage({ tab }: { readonly tab: string }) {
  const [, , Tab] = tabs.find(([path]) => path === tab) ?? tabs[0];
  return (
    <Page title="Admin">
      <nav className="tabs" aria-label="Administration">
        {tabs.map(([path, name]) => (
          <a
            key={path}
            href={linkTo('admin', path)}
            {...(tab === path ? { 'aria-current': 'page' as const } : {})}
          >
            {name}
          </a>
        ))}
      </nav>
      <Tab />
    </Page>
  );
}
