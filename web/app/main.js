/** The start of the console: the session first, then the page. */
import { html, render, effect, useEffect, useState } from './view.js';
import { start } from './router.js';
import { begin, session } from './session.js';
import { readInfo } from './info.js';
import { readPreferences } from './preferences.js';
import { readRights } from './rights.js';
import { startLive } from './live.js';
import { changed } from './data.js';
import { recovered, useReload } from './reach.js';
import { ErrorNote } from './components/bits.js';
import { startTips } from './components/tip.js';
import { Away } from './frame/away.js';
import { startKeyboard } from './frame/keyboard.js';
import { SignInPage } from './pages/sign-in/sign-in.js';

/** The sign-in, or the frame, whose files are loaded once somebody is signed in. */
function Root() {
  const [App, setApp] = useState(/** @type {any} */ (null));
  const [failed, setFailed] = useState(false);
  const state = session.value;
  useEffect(() => {
    if (state === 'in' && !App) import('./frame/frame.js').then((file) => setApp(() => file.App), () => setFailed(true));
  }, [state]);
  useReload(failed);
  if (failed) return html`<div class="body"><${ErrorNote} error=${{ message: 'The console could not be loaded. Claviger may have been updated: load the page again.' }} again=${() => location.reload()} /></div><${Away} />`;
  return html`${state === 'out' ? html`<${SignInPage} />` : App && html`<${App} />`}<${Away} />`;
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
// The server answers again: what could not be read is read, and what is shown may be older than what is there.
recovered.subscribe((count) => {
  if (count === 0) return;
  if (session.value === 'out') begin();
  else changed('/');
  if (session.value === 'in') readRights();
});
await Promise.all([begin(), readInfo()]);
render(html`<${Root} />`, /** @type {HTMLElement} */ (document.getElementById('app')));
