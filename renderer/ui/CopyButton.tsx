import { useState } from 'react';
import { Button } from './Button.tsx';

/** Puts a text into the clipboard, and says when it is there. */
export function CopyButton({
  text,
  size = 'normal',
  children,
}: {
  readonly text: string;
  readonly size?: 'normal' | 'small';
  readonly children: string;
}) {
  const [copied, setCopied] = useState<string>();
  return (
    <Button
      size={size}
      onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(text))}
    >
      <span role="status">{copied === text ? 'Copied' : children}</span>
    </Button>
  );
}
