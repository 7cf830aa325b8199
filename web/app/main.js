/** The start of the console: the session first, then the page. */
import { html, render, effect } from './view.js';
import { start } from './router.js';
import { begin, session } from './session.js';
import { readInfo } from './info.js';
import { readPreferences } from './preferences.js';
import { readRights } from './rights.js';
import { startLive } from './live.js';
import { startTips } from './components/tip.js';
import { startKeyboard } from './frame/keyboard.js';
import { App } from './frame/frame.js';

start();
startTips();
startKeyboard();
effect(() => {
  if (session.value !== 'in') return;
  readPreferences();
  readRights();
  startLive();
});
await Promise.all([begin(), readInfo()]);
render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById('app')));
