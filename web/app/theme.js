/** The theme: system, light or dark. theme-first.js sets it before the first paint. */
import { signal } from './view.js';
import { stored, store } from './storage.js';

/** @type {import('../vendor/signals.js').Signal<'system' | 'light' | 'dark'>} */
export const theme = signal(/** @type {any} */ (stored('theme') ?? 'system'));
const dark = matchMedia('(prefers-color-scheme: dark)');

function show() {
  const is = theme.value === 'dark' || (theme.value === 'system' && dark.matches);
  document.documentElement.dataset.theme = is ? 'dark' : 'light';
}
dark.addEventListener('change', show);

/** @param {'system' | 'light' | 'dark'} chosen */
export function setTheme(chosen) {
  theme.value = chosen;
  store('theme', chosen === 'system' ? null : chosen);
  show();
}

export const THEMES = /** @type {const} */ ([['system', 'System', 'monitor'], ['light', 'Light', 'sun'], ['dark', 'Dark', 'moon']]);
