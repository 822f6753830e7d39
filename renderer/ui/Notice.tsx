import type { ReactNode } from 'react';
import { ToneIcon, type Tone } from './State.tsx';

export function Notice({
  tone,
  title,
  children,
  code,
  action,
}: {
  readonly tone: Tone;
  readonly title: string;
  readonly children?: ReactNode;
  readonly code?: string;
  readonly action?: ReactNode;
}) {
  return (
    <div className="notice" data-tone={tone} role={tone === 'act' ? 'alert' : 'status'}>
      <ToneIcon tone={tone} />
      <div>
        <strong>{title}</strong>
        {children === undefined ? null : <div className="quiet">{children}</div>}
        {code === undefined ? null : <div className="code">{code}</div>}
      </div>
      {action}
    </div>
  );
}
