/** The sidebar: where one can go, with counts; at its foot the state of the audit chain, and the user. */
import { html } from '../view.js';
import { path } from '../router.js';
import { useGet } from '../data.js';
import { info } from '../info.js';
import { number } from '../lib/text.js';
import { isTablet } from '../width.js';
import { user, signOut } from '../session.js';
import { theme, setTheme, THEMES } from '../theme.js';
import { Bitting } from '../components/charts.js';
import { Avatar } from '../components/bits.js';
import { showError } from '../components/over.js';
import { Icon, Mark } from '../components/icon.js';
import { Popup } from '../components/popup.js';
import { NAV, isAt, mayUse } from './nav.js';

export function Sidebar() {
  const groups = user.value?.groups ?? [];
  return html`<div class="sidebar"><a class="brand" href="/"><${Mark} /><span class="wordmark">Claviger</span>${info.value.lab && html`<span class="chip brass lab">LAB</span>`}</a>
    <nav aria-label="Main">${NAV.map((part) => {
      const entries = part.entries.filter((entry) => mayUse(entry, groups));
      return entries.length > 0 && html`${part.title && html`<h2>${part.title}</h2>`}<ul>${entries.map((entry) => html`<li><${NavLink} entry=${entry} /></li>`)}</ul>`;
    })}</nav>
    ${groups.includes('admin') && html`<${Chain} />`}<${Me} /></div>`;
}

/** @param {{entry: import('./nav.js').Entry}} props */
function NavLink({ entry }) {
  const count = useGet(entry.count ?? null, { ...entry.query, limit: 1 });
  const failing = entry.label === 'Connections' && count.data?.total > 0;
  const broken = useGet(failing ? '/connectionmgmt/services/aws/connections' : null, { last_connection_ok: false, limit: 1 });
  const fails = (broken.data?.total ?? 0) > 0;
  return html`<a href=${entry.href} aria-current=${isAt(entry, path.value) ? 'page' : undefined} data-tip=${isTablet.value ? entry.label : undefined}>
    <${Icon} name=${entry.icon} /><span class="label cut">${entry.label}</span>${count.data?.total > 0 && html`<span class="count">${fails && html`<i class="fails" role="img" aria-label="one fails"></i>`}<span>${number(count.data.total)}</span></span>`}</a>`;
}

/** The end of the audit chain, with its hash as a bitting, and whether the log was found whole. */
function Chain() {
  const chain = useGet('/audit/chain', {}, { every: 60_000 }).data;
  if (!chain?.hash) return null;
  const broken = chain.verification?.status === 'broken';
  const state = broken ? 'broken' : chain.verification?.status === 'whole' ? 'whole' : chain.sealed === false ? 'not sealed' : chain.sealed ? 'sealed' : '';
  return html`<a class="chain" href="/audit/records"><${Bitting} hash=${chain.hash} width=${44} height=${15} /><div class="small"><span class="t2">Audit log</span><br /><span class=${broken ? 'danger strong' : 't3 least'}>#${number(chain.number)}${state && ` · ${state}`}</span></div></a>`;
}

function Me() {
  const me = user.value;
  if (!me) return null;
  const groups = (me.groups ?? []).filter((/** @type {string} */ group) => group !== 'All Clients');
  return html`<${Popup} class="me" label=${html`<${Avatar} name=${me.username} large /><span class="who grow small"><bdi class="strong cut">${me.username}</bdi><br /><span class="t2 cut">${groups.join(' · ') || 'no group'}</span></span><${Icon} name="chevrons-up-down" />`}>
    ${(/** @type {() => void} */ close) => html`<div class="heading">Theme</div>${THEMES.map(([id, label, icon]) => html`<button type="button" class="item" aria-pressed=${theme.value === id} onClick=${() => setTheme(id)}><${Icon} name=${icon} />${label}${theme.value === id && html`<span class="end"><${Icon} name="check" size="small" /></span>`}</button>`)}<hr />
      <a class="item" href="/auth/self/user" onClick=${close}><${Icon} name="user" />Your account and sessions</a>
      <button type="button" class="item" onClick=${() => { close(); dispatchEvent(new CustomEvent('claviger:shortcuts')); }}><${Icon} name="keyboard" />Keys of the keyboard<span class="end"><kbd>?</kbd></span></button>
      <button type="button" class="item" onClick=${() => { close(); signOut().catch(showError); }}><${Icon} name="log-out" />Sign out</button>`}<//>`;
}
