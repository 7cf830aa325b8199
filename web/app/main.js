/** The start of the console: the session first, then the page. */
import { html, render, effect, useEffect, useState } from './view.js';
import { start } from './router.js';
import { begin, session } from './session.js';
import { readInfo } from './info.js';
import { readPreferences } from './preferences.js';
import { readRights } from './rights.js';
import { startLive } from './live.js';
import { startTips } from './components/tip.js';
import { startKeyboard } from './frame/keyboard.js';
import { SignInPage } from './pages/sign-in/sign-in.js';

/** The sign-in, or the frame, whose files are loaded once somebody is signed in. */
function Root() {
  const [App, setApp] = useState(/** @type {any} */ (null));
  const state = session.value;
  useEffect(() => {
    if (state === 'in' && !App) import('./frame/frame.js').then((file) => setApp(() => file.App));
  }, [state]);
  if (state === 'out') return html`<${SignInPage} />`;
  return App && html`<${App} />`;
}

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
render(html`<${Root} />`, /** @type {HTMLElement} */ (document.getElementById('app')));
