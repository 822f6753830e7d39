/** The channel between window and core: checked for sender, passed on, never interpreted. */
import type { IpcMain, IpcMainInvokeEvent, WebContents } from 'electron';
import { channels } from '#shared/bridge.ts';
import { AppError } from '#shared/errors.ts';
import type { Core } from '../app/core-process.ts';
import { isOwnUrl } from './security.ts';

type Sender = Pick<IpcMainInvokeEvent, 'sender' | 'senderFrame'>;

export function serveWindow(deps: {
  readonly ipcMain: Pick<IpcMain, 'handle'>;
  readonly contents: Pick<WebContents, 'send' | 'mainFrame' | 'isDestroyed'>;
  readonly core: Core;
}): void {
  const { core, contents } = deps;
  deps.ipcMain.handle(channels.invoke, async (event, path: unknown, input: unknown) => {
    if (!isExpectedSender(event, contents))
      return {
        ok: false,
        error: { code: 'forbidden', message: 'Only the window itself may call the core.' },
      };
    return core.invoke(String(path), input).catch((error: unknown) => ({
      ok: false,
      error:
        error instanceof AppError
          ? error.toBody()
          : { code: 'internal', message: 'The core could not be reached.' },
    }));
  });
  // The core still has something to say when its window has just gone.
  core.onEvent((event) => {
    if (!contents.isDestroyed()) contents.send(channels.event, event);
  });
}

/** The main frame of the expected window, showing the application's own page. */
export function isExpectedSender(
  { sender, senderFrame }: Sender,
  contents: Pick<WebContents, 'mainFrame'>,
): boolean {
  return (
    senderFrame !== null &&
    (sender as unknown) === contents &&
    senderFrame === contents.mainFrame &&
    isOwnUrl(senderFrame.url)
  );
}
