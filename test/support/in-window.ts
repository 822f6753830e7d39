/** What everybody does in the window: for the end-to-end specs and for the measurement of its frames. */
import type { Page } from 'playwright-core';
import { appPasswords } from './bare-app.ts';

/** Waits for the page of that title. */
export function heading(page: Page, name: string): Promise<void> {
  return page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
}

export async function signIn(page: Page, user: keyof typeof appPasswords): Promise<void> {
  await heading(page, 'Sign in');
  await page.getByLabel('Name').fill(user);
  await page.getByLabel('Password', { exact: true }).fill(appPasswords[user]);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await heading(page, 'Overview');
}

/** By the rail. */
export async function goTo(page: Page, name: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name }).click();
}
