/** The top bar: crumbs, find, the clock of time travel, jobs, and this page as a call of the API. */
import { html } from '../view.js';
import { place, query, setQuery } from '../router.js';
import { page } from '../page.js';
import { info } from '../info.js';
import { clock, day, parse } from '../lib/time.js';
import { now } from '../components/bits.js';
import { Icon } from '../components/icon.js';
import { Popup } from '../components/popup.js';
import { isTablet } from '../width.js';
import { ApiMenu } from './api-menu.js';
import { JobsTray } from './jobs.js';
import { openPalette } from './find.js';

export function TopBar() {
  const { crumbs, title } = page.value;
  const shown = crumbs ?? [{ label: title }];
  return html`<header class="topbar">
    <nav class="grow" aria-label="Crumbs"><ol class="crumbs">${place.value.path === '/' && html`<li><span class="cut">${info.value.title}</span><${Icon} name="chevron-right" /></li>`}${shown.map((crumb, i) => {
      const last = i === shown.length - 1;
      const label = html`<bdi class="cut">${crumb.label}</bdi>`;
      return html`<li aria-current=${last ? 'page' : undefined}>${crumb.href && !last ? html`<a href=${crumb.href} class="cut">${label}</a>` : label}${!last && html`<${Icon} name="chevron-right" />`}</li>`;
    })}</ol></nav>
    <button type="button" class="find" onClick=${() => openPalette()} aria-keyshortcuts="Control+K"><${Icon} name="search" /><span class="grow cut label">${isTablet.value ? 'Find…' : 'Find a key, an ARN, a person…'}</span><kbd>Ctrl K</kbd></button>
    <${Clock} /><${JobsTray} /><${ApiMenu} /></header>`;
}

/** `Now`, or the time that the page shows; nothing on a page without a past. */
function Clock() {
  const at = parse(query.value.at);
  if (at === null && !page.value.past) return null;
  const label = at === null ? html`<${Icon} name="history" /><span class="label">Now</span>` : html`<${Icon} name="history" />${day(at, now.value)} ${clock(at)}`;
  return html`<${Popup} shortcut="t" class=${`tool ${at === null ? '' : 'past'}`} end label=${label} name=${at === null ? 'Now: see an earlier time' : `${day(at, now.value)} ${clock(at)}: choose another time`}>${(/** @type {() => void} */ close) => html`<form onSubmit=${(/** @type {any} */ event) => {
      event.preventDefault();
      const value = event.target.elements.at.value;
      setQuery({ at: value ? new Date(`${value}Z`).toISOString() : null }, { push: true });
      close();
    }}><label class="heading" for="clock-at">See this page as it was, UTC</label><div class="row"><div class="input small"><input id="clock-at" name="at" type="datetime-local" step="1" max=${new Date().toISOString().slice(0, 19)} value=${at === null ? '' : new Date(at).toISOString().slice(0, 19)} /></div><button class="button small" type="submit">Go there</button></div>
      ${at !== null && html`<button type="button" class="item" onClick=${() => { setQuery({ at: null }, { push: true }); close(); }}><${Icon} name="undo-2" />Back to now</button>`}
      <p class="small t3 heading">A key, a KMS, a connection, a source key or a template has a past.</p></form>`}<//>`;
}
