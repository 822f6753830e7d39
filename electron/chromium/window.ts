/**
 * The window in the system's Chromium: driven over a pipe (no port is opened), in a private profile that goes away with it.
 * Requests for the application's origin are answered from the built files; everything else is refused and counted, and the
 * browser cannot resolve a name anyway. The page reaches the core through one binding, checked for frame and origin.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page, type Route } from 'playwright-core';
import { AppError } from '#shared/errors.ts';
import type { Core } from '../app/core-process.ts';
import { accountsFile, createProfile, nowhere } from './profile.ts';
import { readWindowFiles, securityHeaders, type WindowFile } from '../app/window-files.ts';

export const origin = 'https://app.invalid';

/**
 * Everything that Chromium does on its own account, off: no update, no probe, no report, no name resolution. Two things
 * have no switch (the update check and the list of accounts); they are sent to a scheme that the browser cannot speak, because
 * already the look for a way to them would be a connection. What is left over finds no proxy that it could use.
 */
export const quietArguments: readonly string[] = [
  '--host-resolver-rules=MAP * ~NOTFOUND',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-component-extensions-with-background-pages',
  '--disable-default-apps',
  '--disable-domain-reliability',
  '--disable-extensions',
  '--disable-sync',
  '--disable-quic',
  '--disable-client-side-phishing-detection',
  '--disable-breakpad',
  '--disable-crash-reporter',
  '--metrics-recording-only',
  '--no-first-run',
  '--no-default-browser-check',
  '--no-pings',
  '--proxy-server=none://none',
  '--proxy-bypass-list=<-loopback>',
  `--component-updater=url-source=${nowhere}`,
  // Keeps the browser from warning about the line that takes its names away.
  '--test-type',
  '--safebrowsing-disable-auto-update',
  '--disable-features=MediaRouter,OptimizationHints,Translate,AutofillServerCommunication,CertificateTransparencyComponentUpdater,InterestFeedContentSuggestions,DialMediaRouteProvider,AsyncDns,NetworkTimeServiceQuerying',
];

export interface WindowOptions {
  readonly core: Core;
  readonly browserPath: string;
  readonly filesDir: string;
  readonly headless: boolean;
}

export interface ChromiumWindow {
  readonly page: Page;
  /** Requests that were refused because they left the application's origin. */
  refusedRequests(): readonly string[];
  closed: Promise<void>;
  close(): Promise<void>;
}

export async function openWindow({
  core,
  browserPath,
  filesDir,
  headless,
}: WindowOptions): Promise<ChromiumWindow> {
  const files = readWindowFiles(filesDir);
  const profile = await createProfile();
  const refused: string[] = [];
  // Chromium refuses its own sandbox to root; the window then has the operating system's protection only.
  const isRoot = process.getuid?.() === 0;
  let context: BrowserContext;
  try {
    context = await chromium.launchPersistentContext(profile, {
      executablePath: browserPath,
      headless,
      chromiumSandbox: !isRoot,
      serviceWorkers: 'block',
      viewport: headless ? { width: 1280, height: 720 } : null,
      ignoreDefaultArgs: ['--enable-automation'],
      // Signals are answered by the host, which seals the vault first.
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
      args: [
        ...quietArguments,
        `--gaia-config=${join(profile, accountsFile)}`,
        '--window-size=1280,800',
        // A window of its own, without tabs and address bar; about:blank would open an ordinary one.
        ...(headless ? [] : ['--app=data:text/html,<title>Strongroom</title>']),
      ],
      // A message bus of the desktop is a way out that nobody needs.
      env: {
        ...process.env,
        DBUS_SESSION_BUS_ADDRESS: 'disabled:',
        DBUS_SYSTEM_BUS_ADDRESS: 'disabled:',
      },
    });
  } catch (cause) {
    await rm(profile, { recursive: true, force: true });
    throw new AppError(
      'unavailable',
      `The browser at ${browserPath} could not be started. Is there a display? Set STRONGROOM_BROWSER to choose another.`,
      { cause },
    );
  }
  await context.route('**/*', (route) => answer(route, files, refused));
  const page = context.pages()[0] ?? (await context.newPage());
  await context.exposeBinding(
    'strongroomInvoke',
    // As text: what the binding makes of a large object, value by value, takes twenty times as long.
    async ({ frame }, path: unknown, input: unknown) => {
      if (frame !== page.mainFrame() || new URL(frame.url()).origin !== origin)
        return JSON.stringify({
          ok: false,
          error: { code: 'forbidden', message: 'Only the window itself may call the core.' },
        });
      const asked: unknown = JSON.parse(String(input));
      return JSON.stringify(
        await core.invoke(String(path), asked).catch((error: unknown) => ({
          ok: false,
          error:
            error instanceof AppError
              ? error.toBody()
              : { code: 'internal', message: 'The core could not be reached.' },
        })),
      );
    },
  );
  await context.addInitScript({ content: bridgeScript });
  const stopEvents = core.onEvent((event) => {
    const script = `window.dispatchEvent(new CustomEvent('strongroom-event', { detail: ${JSON.stringify(event)} }))`;
    page.evaluate(script).catch(() => undefined); // the page is just loading or closing
  });
  context.on('page', (other) => void other.close());
  const closed = new Promise<void>((resolve) => {
    context.once('close', () => {
      stopEvents();
      void rm(profile, { recursive: true, force: true }).then(resolve, () => resolve());
    });
  });
  const closeBrowser = (): Promise<void> => context.close().catch(() => undefined); // it may be gone already
  page.once('close', () => void closeBrowser());
  await page.goto(`${origin}/`);
  return {
    page,
    refusedRequests: () => refused,
    closed,
    async close() {
      await closeBrowser();
      await closed;
    },
  };
}

async function answer(
  route: Route,
  files: ReadonlyMap<string, WindowFile>,
  refused: string[],
): Promise<void> {
  const url = new URL(route.request().url());
  const file =
    url.origin === origin && route.request().method() === 'GET'
      ? files.get(url.pathname)
      : undefined;
  if (file === undefined) {
    if (url.pathname !== '/favicon.ico') refused.push(url.href);
    await route.abort('blockedbyclient');
    return;
  }
  await route.fulfill({
    status: 200,
    contentType: file.type,
    headers: { ...securityHeaders },
    body: Buffer.from(file.content),
  });
}

/** Runs in the page before anything else: gives it the bridge of `shared/bridge.ts`. In the page's own language, as text. */
const bridgeScript = `
  const invoke = window.strongroomInvoke.bind(window);
  Object.defineProperty(window, 'strongroom', { value: Object.freeze({
    host: 'chromium',
    invoke: async (path, input) => JSON.parse(await invoke(path, JSON.stringify(input))),
    onEvent(listener) {
      const relay = (event) => listener(event.detail);
      window.addEventListener('strongroom-event', relay);
      return () => window.removeEventListener('strongroom-event', relay);
    },
  }) });
`;
