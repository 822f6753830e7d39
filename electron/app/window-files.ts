/** The built window as a closed set of files, with the headers that every host sends. What is not in the set does not exist. */
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { AppError } from '#shared/errors.ts';

/** No inline script or style, no connection of any kind, no frame, no form target. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self' data:",
  "connect-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "object-src 'none'",
].join('; ');

export const securityHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy': contentSecurityPolicy,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy':
    'camera=(), microphone=(), geolocation=(), usb=(), serial=(), hid=(), clipboard-read=()',
};

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.woff2': 'font/woff2',
  '.svg': 'image/svg+xml',
};

export interface WindowFile {
  readonly type: string;
  readonly content: Uint8Array;
}

/** By URL path; `/` is the page itself. */
export function readWindowFiles(dir: string): ReadonlyMap<string, WindowFile> {
  let entries: string[];
  try {
    entries = readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  } catch (cause) {
    throw new AppError('unavailable', 'The window has not been built. Run "npm run build".', {
      cause,
    });
  }
  const files = new Map<string, WindowFile>();
  for (const path of entries) {
    const type = types[extname(path)];
    if (type !== undefined)
      files.set(`/${relative(dir, path).split(sep).join('/')}`, {
        type,
        content: readFileSync(path),
      });
  }
  const page = files.get('/index.html');
  if (page === undefined)
    throw new AppError('unavailable', 'The window has not been built. Run "npm run build".');
  return files.set('/', page);
}
