/** Small things that every page shows: times, states, origins, names, copy buttons, chips, notes, cards. */
import { html, signal, useState } from '../view.js';
import { Icon } from './icon.js';
import { aliasParts, initials, sentence, shortArn, shortId } from '../lib/text.js';
import { exact, parse, relative } from '../lib/time.js';

/** The present time, renewed twice a minute, so that "4 min ago" stays true. */
export const now = signal(Date.now());
setInterval(() => {
  if (document.visibilityState === 'visible') now.value = Date.now();
}, 30_000);

/** A time: relative, the exact one in the tooltip. @param {{at: string | null | undefined, none?: string, class?: string}} props */
export function Time({ at, none = 'never', class: extra }) {
  const when = parse(at);
  if (when === null) return html`<span class="t3">${none}</span>`;
  return html`<time class=${extra} datetime=${at} data-tip=${exact(String(at))}>${relative(when, now.value)}</time>`;
}

/** A button that copies a text. @param {{text: string, what?: string}} props */
export function Copy({ text, what = 'it' }) {
  const [done, setDone] = useState(false);
  const copy = async (/** @type {Event} */ event) => {
    event.preventDefault();
    event.stopPropagation();
    try {
      await navigator.clipboard.writeText(text);
      setDone(true);
      setTimeout(() => setDone(false), 1000);
    } catch {
      // Without the right to the clipboard the text can still be selected.
    }
  };
  return html`<button type="button" class=${`copy ${done ? 'done' : ''}`} onClick=${copy} aria-label=${done ? 'Copied' : `Copy ${what}`}>
    <${Icon} name=${done ? 'check' : 'copy'} />
  </button>`;
}

/** An id, an ARN or an address in mono, whole in the tooltip, with a copy button. @param {{text: string, short?: boolean, what?: string}} props */
export function IdLine({ text, short, what }) {
  if (!text) return html`<span class="t3">none</span>`;
  const shown = !short ? text : text.startsWith('arn:') ? shortArn(text) : shortId(text);
  return html`<span class="id-line"><span class="cut" data-tip=${shown === text ? undefined : text}>${shown}</span><${Copy} text=${text} what=${what} /></span>`;
}

/** A name, cut at its end and whole in the tooltip; `alias/` is grey. @param {{text: string}} props */
export function Name({ text }) {
  const [prefix, name] = aliasParts(text);
  return html`<bdi class="name cut" data-tip-cut=${text}>${prefix && html`<span class="prefix">${prefix}</span>`}${name}</bdi>`;
}

const SHAPES = {
  disc: html`<circle cx="5" cy="5" r="4.5" fill="currentColor" />`,
  ring: html`<circle cx="5" cy="5" r="3.8" fill="none" stroke="currentColor" stroke-width="1.4" />`,
  quarter: html`<circle cx="5" cy="5" r="3.8" fill="none" stroke="currentColor" stroke-width="1.4" /><path d="M5 5V1.2A3.8 3.8 0 0 1 8.8 5Z" fill="currentColor" />`,
  dashed: html`<circle cx="5" cy="5" r="3.8" fill="none" stroke="currentColor" stroke-width="1.6" stroke-dasharray="1.7 1.3" />`,
  struck: html`<circle cx="5" cy="5" r="3.8" fill="none" stroke="currentColor" stroke-width="1.4" /><path d="M2.4 7.6 7.6 2.4" stroke="currentColor" stroke-width="1.4" />`,
  square: html`<rect x="1" y="1" width="8" height="8" rx="1" fill="currentColor" />`,
  triangle: html`<path d="M5 .8 9.6 9.2H.4Z" fill="currentColor" />`,
};

/** A shape with a meaning; see State. @param {{shape: keyof SHAPES, tone?: string}} props */
export function Shape({ shape, tone = '' }) {
  return html`<svg class=${tone} width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">${SHAPES[shape]}</svg>`;
}

/** @type {Record<string, [keyof SHAPES, string, string]>} shape, tone and word of each state of the API */
const STATES = {
  Enabled: ['disc', 'ok', 'Enabled'],
  Disabled: ['ring', 't2', 'Disabled'],
  PendingDeletion: ['quarter', 'danger', 'Pending deletion'],
  PendingReplicaDeletion: ['quarter', 'danger', 'Pending replica deletion'],
  PendingImport: ['dashed', 'warn', 'Pending import'],
  Creating: ['dashed', 't2', 'Creating'],
  Updating: ['dashed', 't2', 'Updating'],
  Unavailable: ['struck', 'warn', 'Unavailable'],
  Blocked: ['square', 'danger', 'Blocked'],
  Gone: ['struck', 't3', 'Gone from AWS'],
  active: ['disc', 'ok', 'Active'],
  archived: ['ring', 't2', 'Archived'],
  Active: ['disc', 'ok', 'Active'],
  'Pre-Active': ['dashed', 't2', 'Pre-active'],
  Deactivated: ['ring', 't2', 'Deactivated'],
  Compromised: ['square', 'danger', 'Compromised'],
  Destroyed: ['struck', 't3', 'Destroyed'],
  CONNECTED: ['disc', 'ok', 'Connected'],
  CONNECTING: ['dashed', 't2', 'Connecting'],
  DISCONNECTED: ['ring', 'warn', 'Disconnected'],
  DISCONNECTING: ['dashed', 't2', 'Disconnecting'],
  FAILED: ['square', 'danger', 'Failed'],
  in_progress: ['dashed', 't2', 'In progress'],
  completed: ['disc', 'ok', 'Completed'],
  success: ['disc', 'ok', 'Success'],
  failed: ['square', 'danger', 'Failed'],
  error: ['square', 'danger', 'Failed'],
  ok: ['disc', 'ok', 'OK'],
  warn: ['triangle', 'warn', 'Warning'],
  critical: ['square', 'danger', 'Critical'],
  high: ['square', 'danger', 'High'],
  medium: ['triangle', 'warn', 'Medium'],
  low: ['ring', 't2', 'Low'],
};

/** The shape and the tone of a state, for pictures with a word beside it. @param {string} state */
export const shapeOf = (state) => STATES[state] ?? ['ring', 't3', state];

/** A state: a shape and a word, never colour alone. `word` replaces the word. @param {{state: string, word?: any}} props */
export function State({ state, word }) {
  const [shape, tone, text] = shapeOf(state);
  return html`<span class="state"><${Shape} shape=${shape} tone=${tone} /><span class="cut">${word ?? text}</span></span>`;
}

const ORIGINS = { native: 'Native', byok: 'BYOK', hyok: 'HYOK', hsm: 'CloudHSM' };
/** @param {{origin: 'native' | 'byok' | 'hyok' | 'hsm'}} props */
export const Origin = ({ origin }) => html`<span class=${`chip ${origin}`}>${ORIGINS[origin]}</span>`;

/** @param {{tone?: string, children?: any, tip?: string}} props */
export const Chip = ({ tone = '', children, tip }) => html`<span class=${`chip ${tone}`} data-tip=${tip}>${children}</span>`;

/** @param {{name: string, group?: boolean, large?: boolean}} props */
export function Avatar({ name, group, large }) {
  const tones = ['', 'past', 'brass'];
  const sum = [...name].reduce((total, letter) => total + (letter.codePointAt(0) ?? 0), 0);
  return html`<span class=${`avatar ${group ? 'group' : tones[sum % 3]} ${large ? 'large' : ''}`} aria-hidden="true">${initials(name)}</span>`;
}

const NOTE_ICONS = { '': 'info', info: 'refresh-cw', ok: 'circle-check', warn: 'triangle-alert', danger: 'triangle-alert', past: 'history', lock: 'lock' };
/** A note in the page. `acts` are links at its end. @param {{tone?: '' | 'info' | 'ok' | 'warn' | 'danger' | 'past' | 'lock', icon?: string, children?: any, acts?: any, live?: boolean}} props */
export function Note({ tone = '', icon, children, acts, live }) {
  return html`<div class=${`note ${tone}`} role=${tone === 'danger' ? 'alert' : live ? 'status' : undefined}>
    <${Icon} name=${icon ?? NOTE_ICONS[tone]} /><div class="grow break">${children}</div>${acts && html`<div class="acts">${acts}</div>`}
  </div>`;
}

/** What failed: in place, with AWS's code, whether anything changed, and the id of the request. @param {{error: any, again?: () => void, what?: string, kept?: boolean}} props kept: a draft has what was typed */
export function ErrorNote({ error, again, what, kept }) {
  if (!error) return null;
  const changed = error.unknown ? 'It may have happened all the same: look again.' : 'Nothing was changed.';
  if (error.status === 412) return html`<${Note} tone="info" live acts=${html`<button type="button" class="link" onClick=${() => location.reload()}>Read it again</button>`}><b>Somebody else changed this meanwhile.</b> Nothing was overwritten. ${kept ? 'Your draft is kept.' : 'Copy what you typed: reading it again forgets it.'}<//>`;
  const head = error.reason?.startsWith('aws_') ? 'AWS refused. ' : what ? `${what} ` : '';
  return html`<${Note} tone="danger" acts=${again && html`<button type="button" class="link" onClick=${again}>Try again</button>`}>
    <b>${head}</b>${sentence(error.message ?? String(error))} <span class="t2">${error.status !== undefined && changed}${error.requestId && ` Request ${error.requestId.slice(0, 8)}.`}</span>
  <//>`;
}

/** @param {{title?: any, sub?: any, acts?: any, children?: any, foot?: any, class?: string, flush?: boolean}} props flush: no padding around the children */
export function Card({ title, sub, acts, children, foot, class: extra = '', flush }) {
  return html`<section class=${`card ${extra}`}>
    ${title && html`<div class="card-head"><h2>${title}</h2>${sub && html`<span class="small cut">${sub}</span>`}${acts && html`<span class="end row">${acts}</span>`}</div>`}
    ${flush ? children : html`<div class="card-body">${children}</div>`}
    ${foot && html`<div class="card-foot">${foot}</div>`}
  </section>`;
}

/** Labels and values. @param {{of: Array<[any, any] | null | false | undefined>}} props */
export function Pairs({ of }) {
  const shown = of.filter((pair) => pair);
  return html`<dl class="pairs">${shown.map((pair) => html`<dt>${/** @type {any} */ (pair)[0]}</dt><dd>${/** @type {any} */ (pair)[1] ?? html`<span class="t3">none</span>`}</dd>`)}</dl>`;
}

/** One sentence why a list is empty, and one act. @param {{icon?: string, title: any, children?: any}} props */
export function Empty({ icon = 'search', title, children }) {
  return html`<div class="empty"><${Icon} name=${icon} /><div><h3>${title}</h3><div class="t2">${children}</div></div></div>`;
}

/** Grey bars in the place of rows that are read; not shown in the first 150 ms. @param {{rows?: number, class?: string}} props */
export function Skeleton({ rows = 3, class: extra = '' }) {
  const widths = [36, 28, 52, 40, 24, 46];
  return html`<div class=${`column ${extra}`} role="status"><span class="unseen">Loading</span>
    ${Array.from({ length: rows }, (_, i) => html`<span class="skeleton" style=${{ width: `${widths[i % 6]}%` }} />`)}
  </div>`;
}
