/** The keyboard: Ctrl K, `/`, `?`, G and a letter, C. Letters rest in fields, and can be switched off. */
import { html } from '../view.js';
import { go } from '../router.js';
import { preferences, setPreference } from '../preferences.js';
import { Dialog, over } from '../components/over.js';
import { NAV } from './nav.js';
import { openPalette } from './find.js';

let afterG = 0;

/** What a key presses: what is marked, or the button within it; under an open dialog nothing is. @param {string} selector */
function marked(selector) {
  const root = [...document.querySelectorAll('dialog[open]')].pop() ?? document;
  const found = root.querySelector(selector);
  const button = found?.matches('button, a, input') ? found : found?.querySelector('button');
  return button instanceof HTMLElement ? button : null;
}

/** @param {EventTarget | null} target */
const typing = (target) => target instanceof HTMLElement && (target.isContentEditable || target.matches('input:not(.box), textarea, select'));

export function startKeyboard() {
  addEventListener('claviger:shortcuts', showShortcuts);
  addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      openPalette();
      return;
    }
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 's') {
      event.preventDefault();
      marked('[data-save]')?.click();
      return;
    }
    if (event.ctrlKey && event.key === 'Enter') {
      marked('[data-dry]')?.click();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector('dialog[open]') || preferences.value.letters === false) return;
    if (Date.now() - afterG < 1500) {
      afterG = 0;
      const entry = NAV.flatMap((part) => part.entries).find((one) => one.key === event.key.toLowerCase());
      if (entry) {
        event.preventDefault();
        go(entry.href);
      }
      return;
    }
    const press = (/** @type {string} */ selector) => {
      const button = marked(selector);
      if (button) {
        event.preventDefault();
        button.click();
        if (button.matches('input')) button.focus();
      }
    };
    if (event.key === 'g') afterG = Date.now();
    else if (event.key === '/') press('[data-search]');
    else if (event.key === '?') showShortcuts();
    else if ('crwt'.includes(event.key)) press(`[data-key="${event.key}"]`);
  });
}

const TABLE = [
  ['Ctrl K', 'Find anything'], ['/', 'Search in the list'], ['?', 'This table'],
  ['G then O K S M A P U', 'Overview, keys, stores, KMSs, audit, posture, users'],
  ['J K or arrows', 'Rows'], ['Space', 'Select a row'], ['Shift arrows', 'Select a run'], ['Enter', 'Open'], ['O', 'Side panel'],
  ['C', 'Create'], ['R W T', 'Of a key: rotate, who may use it, time'], ['Ctrl S', 'Save'], ['Ctrl Enter', 'Dry run'], ['Esc', 'Close, clear'],
];

export function showShortcuts() {
  over((done) => html`<${Dialog} label="Keys of the keyboard" close=${() => done(null)}><div class="inside"><h2>Keys of the keyboard</h2>
    <dl class="pairs">${TABLE.map(([keys, text]) => html`<dt><kbd>${keys}</kbd></dt><dd>${text}</dd>`)}</dl>
    <label class="check"><input type="checkbox" class="switch" role="switch" checked=${preferences.value.letters !== false} onChange=${(/** @type {any} */ { target: { checked } }) => setPreference('letters', () => checked)} />Letters are keys</label></div>
    <div class="buttons"><span class="grow"></span><button type="button" class="button" data-first onClick=${() => done(null)}>Close</button></div><//>`);
}
