import { useId, type ReactNode } from 'react';

export function Panel({
  title,
  action,
  children,
  flush,
}: {
  readonly title?: string;
  readonly action?: ReactNode;
  readonly children: ReactNode;
  readonly flush?: true;
}) {
  const id = useId();
  return (
    <section className="panel" {...(title === undefined ? {} : { 'aria-labelledby': id })}>
      {title === undefined ? null : (
        <header>
          <h2 id={id}>{title}</h2>
          {action}
        </header>
      )}
      {flush === true ? children : <div className="body">{children}</div>}
    </section>
  );
}

export function Empty({
  title,
  children,
  action,
}: {
  readonly title: string;
  readonly children: ReactNode;
  readonly action?: ReactNode;
}) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      <p>{children}</p>
      {action}
    </div>
  );
}

export function Loading({ lines = 4 }: { readonly lines?: number }) {
  return (
    <div className="stack" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, at) => (
        <div className="skeleton" key={at} />
      ))}
    </div>
  );
}
