import { useEffect, type ReactNode } from 'react';
import { AdminPage } from '../features/admin/AdminPage.tsx';
import { AuditPage } from '../features/audit/AuditPage.tsx';
import { MediaPage } from '../features/media/MediaPage.tsx';
import { ModelPage } from '../features/models/ModelPage.tsx';
import { ModelsPage } from '../features/models/ModelsPage.tsx';
import { MonitorPage } from '../features/monitor/MonitorPage.tsx';
import { OverviewPage } from '../features/overview/OverviewPage.tsx';
import { ReasonTextsPage } from '../features/record/ReasonTextsPage.tsx';
import { RecordPage } from '../features/record/RecordPage.tsx';
import { ReportsPage } from '../features/reports/ReportsPage.tsx';
import { RunPage } from '../features/run/RunPage.tsx';
import { RunResultPage } from '../features/run/RunResultPage.tsx';
import { CreateVaultPage } from '../features/vault/CreateVaultPage.tsx';
import { SignInPage } from '../features/vault/SignInPage.tsx';
import { Loading } from '../ui/Panel.tsx';
import { ErrorNotice } from './ErrorNotice.tsx';
import { Frame } from './Frame.tsx';
import { useRoute } from './routes.ts';
import { connect, useApp } from './store.ts';

/** Which of the three worlds is shown: no vault, a sealed one, an open one. */
export function App() {
  useEffect(connect, []);
  const status = useApp((state) => state.status);
  const failure = useApp((state) => state.failure);
  const confirming = useApp((state) => state.confirming);
  if (failure !== undefined && status === undefined) {
    return (
      <main className="gate">
        <div className="gate-card">
          <h1>Strongroom</h1>
          <ErrorNotice error={failure} />
        </div>
      </main>
    );
  }
  if (status === undefined) {
    return (
      <main className="gate">
        <div className="gate-card">
          <Loading lines={3} />
        </div>
      </main>
    );
  }
  if (status.state === 'absent' || confirming) return <CreateVaultPage status={status} />;
  if (status.state === 'sealed' || status.session === null) return <SignInPage status={status} />;
  return (
    <Frame>
      <CurrentPage />
    </Frame>
  );
}

function CurrentPage(): ReactNode {
  const [section = 'overview', first, second, third] = useRoute();
  switch (section) {
    case 'media':
      return <MediaPage looksAtBundle={first === 'bundle'} />;
    case 'models':
      return first === undefined ? (
        <ModelsPage />
      ) : (
        <ModelPage key={first} model={first} tab={second ?? 'versions'} version={third} />
      );
    case 'run':
      if (first === 'record' && second !== undefined)
        return <RecordPage key={second} version={second} />;
      if (first === 'reasons' && second !== undefined)
        return <ReasonTextsPage key={second} version={second} />;
      return first === 'result' && second !== undefined ? (
        <RunResultPage runId={second} />
      ) : (
        <RunPage key={first ?? ''} version={first} />
      );
    case 'monitor':
      return <MonitorPage key={first ?? ''} version={first} runId={second} />;
    case 'audit':
      return <AuditPage index={first} />;
    case 'reports':
      return <ReportsPage />;
    case 'admin':
      return <AdminPage tab={first ?? 'users'} />;
    default:
      return <OverviewPage />;
  }
}
