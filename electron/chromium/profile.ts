/**
 * The browser's private profile. It will hold titles and addresses of pages (names of models among them), so it lives in memory
 * where the system has a place for that, remembers as little as its preferences allow, goes away with the window, and what
 * a killed window left is swept by the next one.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { accessSync, constants } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOwnedFolder } from '#platform/owned-folder.ts';

/** An address of a kind that the browser refuses before it looks for it. */
export const nowhere = 'ftp://none/';
/** In the profile: where the browser would ask who is signed in to its maker's services. */
export const accountsFile = 'accounts.json';

/** No saved passwords, forms or guesses of where to go next. */
const preferences = {
  alternate_error_pages: { enabled: false },
  autofill: { enabled: false, profile_enabled: false, credit_card_enabled: false },
  browser: { enable_spellchecking: false, has_seen_welcome_page: true },
  credentials_enable_service: false,
  dns_prefetching: { enabled: false },
  net: { network_prediction_options: 2 },
  // Without the second one the browser asks its maker whether a password typed into the window is known to be stolen.
  profile: { password_manager_enabled: false, password_manager_leak_detection: false },
  safebrowsing: { enabled: false },
  search: { suggest_enabled: false },
  translate: { enabled: false },
};

export async function createProfile(): Promise<string> {
  const profile = await createOwnedFolder(memoryFolder() ?? tmpdir(), 'strongroom-window-');
  await mkdir(join(profile, 'Default'));
  await writeFile(join(profile, 'Default/Preferences'), JSON.stringify(preferences));
  await writeFile(
    join(profile, accountsFile),
    JSON.stringify({ urls: { list_accounts_url: { url: nowhere } } }),
  );
  return profile;
}

function memoryFolder(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    accessSync('/dev/shm', constants.W_OK);
    return '/dev/shm';
  } catch {
    return undefined; // some containers have none
  }
}
