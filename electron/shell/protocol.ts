/** `app://main/…`: the built window from its closed set of files, with the headers of every host. */
import type { CustomScheme, Protocol } from 'electron';
import { securityHeaders, type WindowFile } from '../app/window-files.ts';
import { appOrigin } from './security.ts';

export const appScheme: CustomScheme = {
  scheme: 'app',
  privileges: {
    standard: true,
    secure: true,
    supportFetchAPI: false,
    corsEnabled: false,
    stream: false,
  },
};

export function serveFiles(
  protocol: Pick<Protocol, 'handle'>,
  files: ReadonlyMap<string, WindowFile>,
): void {
  protocol.handle('app', ({ url, method }) => {
    const { origin, host, pathname } = new URL(url);
    const own = `app://${host}` === appOrigin || origin === appOrigin;
    const file = own && method === 'GET' ? files.get(pathname === '' ? '/' : pathname) : undefined;
    if (file === undefined)
      return new Response('Not found', {
        status: 404,
        headers: { ...securityHeaders, 'Content-Type': 'text/plain' },
      });
    return new Response(Buffer.from(file.content), {
      status: 200,
      headers: { ...securityHeaders, 'Content-Type': file.type },
    });
  });
}
