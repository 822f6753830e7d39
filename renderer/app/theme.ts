/** Light, dark, or what the system says; remembered for this window only, because nothing is written outside of the vault. */
export type Theme = 'light' | 'dark' | 'system';

const prefersDark = window.matchMedia('(prefers-color-scheme: dark)');
let theme: Theme = 'system';

export function currentTheme(): Theme {
  return theme;
}

export function setTheme(next: Theme): void {
  theme = next;
  applyTheme();
}

export function applyTheme(): void {
  const dark = theme === 'dark' || (theme === 'system' && prefersDark.matches);
  document.documentElement.dataset['theme'] = dark ? 'dark' : 'light';
}

prefersDark.addEventListener('change', applyTheme);
