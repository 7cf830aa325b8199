/** The frame around each page, and the page that belongs to the address. */
import { html, useEffect, useState } from '../view.js';
import { place } from '../router.js';
import { find } from '../pages.js';
import { session } from '../session.js';
import { useReload } from '../reach.js';
import { Dialog } from '../components/over.js';
import { ErrorNote, Skeleton } from '../components/bits.js';
import { Toasts } from '../components/toast.js';
import { SignInForm } from '../pages/sign-in/sign-in.js';
import { Sidebar } from './sidebar.js';
import { TopBar } from './topbar.js';

export function App() {
  const state = session.value;
  return html`<a class="skip" href="#content">To the content</a><div class="frame"><${Sidebar} /><div class="main"><${TopBar} /><main id="content" class="content" tabindex="-1"><${Shown} /></main></div></div><${Toasts} />
    ${state === 'again' && html`<${Dialog} class="sign-in-over" label="Sign in again" held><${SignInForm} again /><//>`}`;
}

/** The page of the address: its module is loaded when it is first needed. */
function Shown() {
  const found = find(place.value.path, place.value.query);
  const [loaded, setLoaded] = useState(/** @type {any} */ (null));
  const name = found.page.name;
  useEffect(() => {
    let here = true;
    found.page.load().then(
      (component) => here && setLoaded({ name, component }),
      (error) => here && setLoaded({ name, error }),
    );
    return () => {
      here = false;
    };
  }, [name]);
  useReload(Boolean(loaded?.error) && loaded.name === name);
  if (loaded?.name !== name) return html`<div class="body"><${Skeleton} /></div>`;
  if (loaded.error) return html`<div class="body"><${ErrorNote} error=${{ message: 'This part of the console could not be loaded. Claviger may have been updated: load the page again.' }} again=${() => location.reload()} /></div>`;
  return html`<${loaded.component} ...${found.members} key=${name + JSON.stringify(found.members)} />`;
}
