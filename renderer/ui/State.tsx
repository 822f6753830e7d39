import {
  IconAlertTriangle,
  IconCircle,
  IconCircleCheck,
  IconCircleX,
  IconInfoCircle,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';

export type Tone = 'ok' | 'watch' | 'act' | 'accent' | 'neutral';

const icons = {
  ok: IconCircleCheck,
  watch: IconAlertTriangle,
  act: IconCircleX,
  accent: IconInfoCircle,
  neutral: IconCircle,
} as const;

/** A state as a word with a shape and a colour. */
export function State({ tone, children }: { readonly tone: Tone; readonly children: ReactNode }) {
  const Icon = icons[tone];
  return (
    <span className="state" data-tone={tone}>
      <Icon size={13} aria-hidden />
      {children}
    </span>
  );
}

export function ToneIcon({ tone }: { readonly tone: Tone }) {
  const Icon = icons[tone];
  return <Icon size={18} aria-hidden />;
}

/** The shape and colour of a state, with its word for those who cannot see them. */
export function StateIcon({ tone, word }: { readonly tone: Tone; readonly word: string }) {
  const Icon = icons[tone];
  return (
    <span className="tone" data-tone={tone} title={word}>
      <Icon size={16} aria-hidden />
      <span className="visually-hidden">{word}</span>
    </span>
  );
}
