import { useEffect, useRef, type ReactNode } from 'react';
import type { Query } from './use-query.ts';
import { Button } from '../ui/Button.tsx';
import { Loading, Panel } from '../ui/Panel.tsx';
import { ErrorNotice } from './ErrorNotice.tsx';
import { RolledBackNotice } from './RolledBackNotice.tsx';

/** Header with the page's name and its one primary act, and the scrolling content. */
export function Page({
  title,
  action,
  children,
}: {
  readonly title: string;
  readonly action?: ReactNode;
  readonly children: ReactNode;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Strongroom`;
    heading.current?.focus({ preventScroll: true });
  }, [title]);
  return (
    <>
      <header className="page-header">
        <h1 ref={heading} tabIndex={-1} title={title}>
          {title}
        </h1>
        <div className="row">{action}</div>
      </header>
      <main className="page-main" tabIndex={-1}>
        <div className="content stack" data-gap="large">
          <RolledBackNotice />
          {children}
        </div>
      </main>
    </>
  );
}

/** The states that every list has before it is full. */
export function Loaded<T>({
  query,
  children,
}: {
  readonly query: Query<T>;
  readonly children: (data: T) => ReactNode;
}) {
  if (query.error !== undefined)
    return (
      <ErrorNotice
        error={query.error}
        action={
          <Button size="small" onClick={query.reload}>
            Try again
          </Button>
        }
      />
    );
  if (query.data === undefined) {
    return (
      <Panel>
        <Loading />
      </Panel>
    );
  }
  return <>{children(query.data)}</>;
}
