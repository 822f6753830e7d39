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
    { ok: 'steady', watch: 'watch', act: 'drifted', reference: 'reference' }[state] ??
    'not compared'
  );
}

export function signatureTone(status: string): Tone {
  return status === 'verified' ? 'ok' : status === 'invalid' ? 'act' : 'watch';
}

export function signatureWord(status: string): string {
  return (
    {
      verified: 'verified',
      untrusted: 'signer not trusted',
      invalid: 'does not fit',
      absent: 'not signed',
    }[status] ?? status
  );
}

export function methodWord(method: string | null): string {
  return (
    { key: 'key', certificate: 'certificate', sigstore: 'Sigstore' }[method ?? ''] ?? 'not known'
  );
}

/** What has become of the signer of a version since; nothing to say while all is well. */
export function signerWord(trust: string): string | undefined {
  return {
    removed: 'its signer is no longer trusted',
    expired: 'its certificate has ended',
  }[trust];
}

/** Whoever let a version in against the gate, and why: said wherever the version stands. */
export function overrideWord({
  by,
  reason,
}: {
  readonly by: string | null;
  readonly reason: string | null;
}): string {
  return `Let in against the gate by ${by ?? 'a second person'}${reason === null ? '.' : `: “${reason}”`}`;
}

/** How a statistical test is called in print. */
export function testName(method: string): string {
  return (
    {
      ks: 'Kolmogorov–Smirnov',
      'chi-square': 'Chi-square',
      'two-proportion': 'Two proportions',
    }[method] ?? method
  );
}

/** A bundle's form: what it is arranged as, and what that is packed in. */
export function formatWord(format: string): string {
  return format
    .split(', ')
    .map((part) => formatWords[part] ?? part)
    .join(', ');
}

const formatWords: Readonly<Record<string, string>> = {
  directory: 'folder',
  archive: 'archive',
  parts: 'archive in parts',
  onnx: 'single model',
  tar: 'TAR archive',
  'tar.gz': 'TAR archive, gzip',
  'tar.zst': 'TAR archive, Zstandard',
  zip: 'ZIP archive',
  oci: 'OCI image layout',
  modelpack: 'ModelPack',
  modelkit: 'KitOps ModelKit',
  mlflow: 'MLflow model',
  triton: 'Triton model',
  'hugging-face': 'Hugging Face folder',
};

export function levelTone(level: string): Tone {
  return level === 'error' ? 'act' : level === 'warning' ? 'watch' : 'neutral';
}

export function outcomeTone(outcome: string | undefined): Tone {
  if (outcome === 'ok') return 'ok';
  if (outcome === 'error') return 'act';
  return outcome === undefined ? 'neutral' : 'watch';
}
