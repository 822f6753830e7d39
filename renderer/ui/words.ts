/** Words and tones of states, the same on every page. */
import type { Tone } from './State.tsx';

export function stageTone(stage: string): Tone {
  if (stage === 'production') return 'ok';
  if (stage === 'approved' || stage === 'candidate') return 'accent';
  if (stage === 'rejected') return 'act';
  return stage === 'quarantined' ? 'watch' : 'neutral';
}

export function driftTone(state: string): Tone {
  if (state === 'ok' || state === 'watch' || state === 'act') return state;
  return 'neutral';
}

export function driftWord(state: string): string {
  return (
    { ok: 'steady', watch: 'watch', act: 'act', reference: 'reference' }[state] ?? 'not compared'
  );
}

export function levelTone(level: string): Tone {
  return level === 'error' ? 'act' : level === 'warning' ? 'watch' : 'neutral';
}

export function outcomeTone(outcome: string | undefined): Tone {
  if (outcome === 'ok') return 'ok';
  if (outcome === 'error') return 'act';
  return outcome === undefined ? 'neutral' : 'watch';
}
