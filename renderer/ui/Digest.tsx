import { shortDigest } from '#shared/words.ts';
import { IconCopy } from '@tabler/icons-react';
import { useState } from 'react';

/** A digest, shortened, with the whole of it in the clipboard on a click. */
export function Digest({ value }: { readonly value: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <button
      type="button"
      className="button mono"
      data-kind="quiet"
      data-size="small"
      title={value}
      aria-label={`${shortDigest(value)}, copy`}
      onClick={(event) => {
        event.stopPropagation();
        void navigator.clipboard.writeText(value).then(() => setCopied(true));
      }}
    >
      {shortDigest(value)}
      {copied ? <span className="small">copied</span> : <IconCopy size={12} aria-hidden />}
    </button>
  );
}
