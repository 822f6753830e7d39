import { IconX } from '@tabler/icons-react';
import { useId, useLayoutEffect, useRef, type ReactNode } from 'react';
import { Button } from './Button.tsx';

/** A modal on the platform's own element: focus, Escape and inertness come with it. */
export function Dialog({
  title,
  onClose,
  children,
  className,
  stays = false,
}: {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly className?: string;
  /** It shows what is never shown again: only a button of its own closes it, no key pressed by mistake. */
  readonly stays?: boolean;
}) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Closed while it still stands in the page, so that the focus goes back to where it was.
  useLayoutEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    // The first thing to fill in or to press, not the way out.
    dialog
      ?.querySelector<HTMLElement>('input, select, textarea, [role=group] button, footer button')
      ?.focus({ preventScroll: true });
    // Opening it brings what has the focus into view; a tall one is read from its beginning.
    dialog?.scrollTo(0, 0);
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={element}
      aria-labelledby={id}
      className={className}
      {...(stays ? { closedby: 'none' as const } : {})}
      onClose={onClose}
      onCancel={onClose}
    >
      <div className="dialog-body">
        <div className="dialog-head">
          <h2 id={id}>{title}</h2>
          {stays ? null : (
            <Button
              kind="quiet"
              size="small"
              aria-label="Leave"
              onClick={onClose}
              icon={<IconX size={16} aria-hidden />}
            />
          )}
        </div>
        {children}
      </div>
    </dialog>
  );
}
