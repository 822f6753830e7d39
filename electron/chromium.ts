/** Entry of the Chromium host: `node electron/chromium.ts [--vault DIR] [--pins DIR] [--inbox DIR]`. Shows the window until it is closed. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AppError } from '#shared/errors.ts';
import { defaultPinsDir, defaultVaultDir } from '#platform/paths.ts';
import { startCore } from './app/core-process.ts';
import { findBrowser } from './chromium/browser.ts';
import { openWindow } from './chromium/window.ts';

const { values } = parseArgs({
  options: { vault: { type: 'string' }, pins: { type: 'string' }, inbox: { type: 'string' } },
});
try {
  const browserPath = findBrowser();
  if (browserPath === undefined)
    throw new AppError(
      'unavailable',
      'No Chromium, Chrome or Edge was found. Install one, or set STRONGROOM_BROWSER.',
    );
  const core = startCore({
    nodePath: process.execPath,
    vaultDir: values.vault ?? defaultVaultDir(),
    pinsDir: values.pins ?? process.env['STRONGROOM_PINS'] ?? defaultPinsDir(),
    host: 'chromium',
    ...(values.inbox === undefined ? {} : { inboxDir: values.inbox }),
  });
  try {
    const window = await openWindow({
      core,
      browserPath,
      filesDir: join(import.meta.dirname, '../.build/renderer'),
      headless: false,
    });
    core.onExit(() => void window.close());
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.once(signal, () => void window.close());
    if (process.getuid?.() === 0)
      process.stderr.write(
        'The browser runs without its own sandbox, because it refuses it to root. Use an ordinary account for real work.\n',
      );
    await window.closed;
  } finally {
    await core.close();
  }
} catch (error) {
  process.stderr.write(
    error instanceof AppError
      ? `strongroom: ${error.code}: ${error.message}\n`
      : `strongroom: ${String(error)}\n`,
  );
  process.exitCode = 69;
}
