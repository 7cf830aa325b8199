/** The palette (Ctrl K): one field over everything; `>` commands, `@` people, `#` records; Tab leads to the acts of what is chosen. */
import { html, useEffect, useMemo, useRef, useState } from '../view.js';
import { api } from '../api.js';
import { go } from '../router.js';
import { user } from '../session.js';
import { Icon } from '../components/icon.js';
import { Dialog, over } from '../components/over.js';
import { setTheme } from '../theme.js';
import { NAV, mayUse } from './nav.js';
import { actsOf } from './palette-acts.js';

let open = false;

export async function openPalette(text = '') {
  if (open) return;
  open = true;
  await over((done) => html`<${Palette} start=${text} done=${done} />`);
  open = false;
}

/** @typedef {{id: string, group: string, icon: string, title: any, beside?: any, end?: any, href?: string, run?: () => void, kind?: string, of?: string}} Hit kind, of: the kind and the id of the object that was found */

/** @param {string} text @returns {Hit[]} */
function commands(text) {
  const groups = user.value?.groups ?? [];
  const pages = NAV.flatMap((part) => part.entries).filter((entry) => mayUse(entry, groups)).map((entry) => ({ id: entry.href, group: 'Go to', icon: entry.icon, title: entry.label, href: entry.href, end: entry.key && html`<kbd>G</kbd> <kbd>${entry.key.toUpperCase()}</kbd>` }));
  const acts = [
    { id: 'create', group: 'Commands', icon: 'plus', title: 'Create a key', href: '/cckm/aws/keys?new=native', end: html`<kbd>C</kbd>` },
    { id: 'upload', group: 'Commands', icon: 'upload', title: 'Upload a key', href: '/cckm/aws/upload-key' },
    { id: 'connection', group: 'Commands', icon: 'plug', title: 'Add a connection', href: '/connectionmgmt/services/aws/connections?new=1' },
    { id: 'kms', group: 'Commands', icon: 'cloud', title: 'Add a KMS', href: '/cckm/aws/kms?new=1' },
    { id: 'light', group: 'Commands', icon: 'sun', title: 'Theme: light', run: () => setTheme('light') },
    { id: 'dark', group: 'Commands', icon: 'moon', title: 'Theme: dark', run: () => setTheme('dark') },
  ];
  const wanted = text.toLowerCase();
  return [...acts, ...pages].filter((one) => one.title.toLowerCase().includes(wanted));
}

/** @type {Record<string, string>} by the kinds of the search */
const ICONS = { key: 'key-round', source_key: 'folder-key', kms: 'cloud', connection: 'plug', custom_key_store: 'vault', policy_template: 'file-braces', schedule: 'calendar-clock', user: 'user', group: 'users', report: 'file-chart-column', webhook: 'webhook' };
/** @type {Record<string, string>} */
const GROUPS = { key: 'Keys', source_key: 'Source keys', kms: 'KMSs', connection: 'Connections', custom_key_store: 'Key stores', policy_template: 'Policy templates', schedule: 'Schedules', user: 'Users', group: 'Groups', report: 'Reports', webhook: 'Webhooks' };
/** Webhooks are shown in a list alone. @param {string} kind @param {string} address the one of the API */
const placeOf = (kind, address) => (kind === 'webhook' ? '/alarms?tab=webhooks' : address.replace(/^\/api\/v1/, ''));

/** Asks the server. @param {string} text @param {number} limit @param {AbortSignal} signal @returns {Promise<Hit[]>} */
async function search(text, limit, signal) {
  const answer = await api.get('/search', { q: text, limit }, signal);
  return answer.resources.map((/** @type {any} */ hit) => ({ id: `${hit.kind}-${hit.id}`, group: GROUPS[hit.kind] ?? hit.kind, icon: ICONS[hit.kind] ?? 'search', title: hit.name ?? hit.id, beside: [hit.kms, hit.region].filter(Boolean).join(', '), href: placeOf(hit.kind, hit.address), kind: hit.kind, of: hit.id }));
}

/** The text with what was typed marked. @param {{text: string, typed: string}} props */
function Marked({ text, typed }) {
  const at = typed === '' ? -1 : text.toLowerCase().indexOf(typed.toLowerCase());
  if (at < 0) return html`<bdi class="name cut">${text}</bdi>`;
  return html`<bdi class="name cut">${text.slice(0, at)}<mark>${text.slice(at, at + typed.length)}</mark>${text.slice(at + typed.length)}</bdi>`;
}

/** @param {{start: string, done: (value: any) => void}} props */
function Palette({ start, done }) {
  const [text, setText] = useState(start);
  const [found, setFound] = useState(/** @type {Hit[]} */ ([]));
  const [took, setTook] = useState(/** @type {number | null} */ (null));
  const [failed, setFailed] = useState('');
  const [at, setAt] = useState(0);
  const [acting, setActing] = useState(/** @type {string | null} */ (null));
  const list = useRef(/** @type {any} */ (null));
  const asked = text.trim();
  const special = /^[>@#]/.test(asked) ? asked[0] : '';
  const typed = special ? asked.slice(1).trim() : asked;

  useEffect(() => {
    setAt(0);
    setActing(null);
    setFailed('');
    if (special === '>' || asked === '' || typed === '') {
      setFound([]);
      setTook(null);
      return undefined;
    }
    if (special === '#') {
      setFound([{ id: 'record', group: 'Audit log', icon: 'scroll-text', title: `Record ${typed}`, href: `/audit/records/${encodeURIComponent(typed)}` }]);
      return undefined;
    }
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      const begun = performance.now();
      try {
        // Keys of the same name must not push people out.
        const hits = await search(typed, special === '@' ? 100 : 20, abort.signal);
        setFound(special === '@' ? hits.filter((hit) => hit.group === 'Users' || hit.group === 'Groups') : hits);
        setTook(Math.round(performance.now() - begun));
      } catch (/** @type {any} */ error) {
        if (!abort.signal.aborted) setFailed(error.message ?? String(error));
      }
    }, 120);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text]);

  // The acts follow the group of what they are of.
  const listed = (/** @type {string | null} */ of) => {
    const all = [...found, ...(special === '' || special === '>' ? commands(typed) : [])].slice(0, 40);
    const hit = all.find((one) => one.id === of);
    let end = hit ? all.indexOf(hit) + 1 : 0;
    while (hit && all[end]?.group === hit.group) end += 1;
    return [...all.slice(0, end), ...actsOf(hit), ...all.slice(end)];
  };
  const hits = useMemo(() => listed(acting), [found, text, acting]);
  const chosen = hits[Math.min(at, hits.length - 1)];
  const run = (/** @type {Hit | undefined} */ hit, apart = false) => {
    if (!hit) return;
    if (apart && hit.href) return void window.open(hit.href, '_blank', 'noopener');
    done(null);
    if (hit.href) go(hit.href);
    else hit.run?.();
  };
  const choose = (/** @type {number} */ index) => {
    setAt(Math.max(0, index));
    requestAnimationFrame(() => list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' }));
  };
  const act = (/** @type {string | null} */ of, /** @type {string} */ wanted) => {
    setActing(of);
    choose(listed(of).findIndex((hit) => hit.id === wanted));
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const [first] = actsOf(chosen);
    if (step !== undefined) choose((at + step + hits.length) % Math.max(1, hits.length));
    else if (event.key === 'Tab' && event.shiftKey && acting !== null) act(null, acting);
    else if (event.key === 'Tab' && !event.shiftKey && first) act(chosen.id, first.id);
    else if (event.key === 'Enter') run(chosen, event.ctrlKey || event.metaKey);
    else if (event.key !== 'Tab' || acting === null) return;
    event.preventDefault();
  };
  let group = '';
  return html`<${Dialog} class="palette" label="Find" close=${() => done(null)}>
    <div class="question"><${Icon} name="search" size="large" /><input data-first role="combobox" aria-expanded="true" aria-controls="palette-hits" aria-activedescendant=${chosen && `hit-${hits.indexOf(chosen)}`} aria-label="Find anything" placeholder="Find a key, an ARN, a person…"
      value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)} onKeyDown=${keys} autocomplete="off" spellcheck="false" />${took !== null && html`<span class="small t2">${found.length} found in ${took} ms</span>`}</div>
    <div class="hits" id="palette-hits" role="listbox" aria-label="Found" ref=${list}>
      ${failed && html`<p class="danger small" role="alert">${failed}</p>`}
      ${hits.length === 0 && !failed && html`<p class="t2 small hit">Nothing has this name.</p>`}
      ${hits.map((hit, i) => {
        const head = hit.group !== group && html`<h3 role="presentation">${hit.group}</h3>`;
        group = hit.group;
        return html`${head}<div class="hit" role="option" id=${`hit-${i}`} aria-selected=${hit === chosen} onClick=${(/** @type {MouseEvent} */ event) => run(hit, event.ctrlKey || event.metaKey)} onPointerMove=${() => at !== i && setAt(i)}>
          <${Icon} name=${hit.icon} /><${Marked} text=${String(hit.title)} typed=${typed} /><span class="t2 cut">${hit.beside}</span><span class="end row nowrap">${hit.end}${hit === chosen && html`<kbd>Enter</kbd>`}</span></div>`;
      })}</div>
    <div class="keys"><span><kbd>↑↓</kbd> choose</span><span><kbd>Enter</kbd> open</span><span><kbd>Ctrl Enter</kbd> new tab</span>${actsOf(chosen).length > 0 && html`<span><kbd>Tab</kbd> act on it</span>`}${acting !== null && html`<span><kbd>Shift Tab</kbd> back</span>`}<span class="end"><b>></b> commands</span><span><b>@</b> people</span><span><b>#</b> records</span></div><//>`;
}
