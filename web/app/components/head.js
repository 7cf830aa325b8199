/** The head of a page: title, state, ids, actions; facts; tabs; the side panel. */
import { html, useEffect, useRef } from '../view.js';
import { go, place, query, setQuery } from '../router.js';
import { queryString } from '../lib/query.js';
import { Icon } from './icon.js';

/** @param {{title: any, beside?: any, sub?: any, actions?: any}} props beside: state, origin; sub: ids with copy */
export function Head({ title, beside, sub, actions }) {
  return html`<header class="head"><div class="titles">
    <div class="title"><h1 tabindex="-1">${title}</h1>${beside}</div>${actions && html`<div class="actions">${actions}</div>`}</div>
    ${sub && html`<div class="sub">${sub}</div>`}
  </header>`;
}

/** Facts in a strip: label over value. @param {{of: Array<[string, any] | null | false | undefined>}} props */
export function Facts({ of }) {
  return html`<dl class="facts" tabindex="0" aria-label="Facts">${of.map((fact) => fact && html`<div><dt>${fact[0]}</dt><dd>${fact[1]}</dd></div>`)}</dl>`;
}

/**
 * @typedef {object} Tab
 * @property {string} id what `tab` of the query is
 * @property {string} label
 * @property {number | string | null} [count]
 * @property {boolean} [needs] something there needs the reader
 * @property {string} [shortcut] the letter that chooses it
 * @property {() => any} show
 */

/** Tabs; the chosen one is in the query as `tab`, the first is the default. @param {{tabs: Array<Tab | null | false | undefined>}} props */
export function Tabs({ tabs }) {
  const shown = /** @type {Tab[]} */ (tabs.filter((tab) => tab));
  const chosen = shown.find((tab) => tab.id === query.value.tab) ?? shown[0];
  const list = useRef(/** @type {any} */ (null));
  // What else the query has (filters, sort, what is opened) is of the list of the tab that is left; the other may not know it.
  const choose = (/** @type {Tab} */ tab) => go(place.value.path + queryString({ at: query.value.at, tab: tab === shown[0] ? null : tab.id }), { replace: true });
  const keys = (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = (shown.indexOf(chosen) + step + shown.length) % shown.length;
    choose(shown[next]);
    list.current.children[next].focus();
  };
  return html`<div class="tabs" role="tablist" ref=${list} onKeyDown=${keys}>${shown.map((tab) => html`<button type="button" role="tab" id=${`tab-${tab.id}`} aria-controls="tab-panel"
      data-key=${tab.shortcut} aria-selected=${tab === chosen} tabindex=${tab === chosen ? 0 : -1} onClick=${() => choose(tab)}>${tab.label}${
      tab.count !== undefined && tab.count !== null && html`<span class="count">${tab.count}</span>`}${tab.needs && html`<span class="needs" role="img" aria-label="needs attention" />`}</button>`)}</div>
    <div id="tab-panel" role="tabpanel" aria-labelledby=${`tab-${chosen.id}`} key=${chosen.id} class="tab-panel">${chosen.show()}</div>`;
}

/**
 * The side panel beside a list; `open` of the query names what it shows. Esc closes it, `previous` and `next` walk the list.
 * @param {{title: any, wide?: boolean, beside?: any, actions?: any, children?: any, previous?: (() => void) | null, next?: (() => void) | null, close?: () => void}} props
 */
export function SidePanel({ title, wide, beside, actions, children, previous, next, close = () => setQuery({ open: null }) }) {
  useEffect(() => {
    const keys = (/** @type {KeyboardEvent} */ event) => {
      if (event.key === 'Escape' && !document.querySelector('dialog[open], :popover-open:not(.toasts)')) close();
    };
    document.addEventListener('keydown', keys);
    return () => document.removeEventListener('keydown', keys);
  });
  return html`<aside class=${`panel ${wide ? 'wide' : ''}`} aria-label="Details">
    <div class="panel-head"><h2 class="cut">${title}</h2>${beside}<span class="end row">${actions}
      ${(previous || next) && html`<span class="segments"><button type="button" aria-label="Previous" disabled=${!previous} onClick=${previous}><${Icon} name="arrow-up" size="small" /></button><button type="button" aria-label="Next" disabled=${!next} onClick=${next}><${Icon} name="arrow-down" size="small" /></button></span>`}
      <button type="button" class="tiny" aria-label="Close" data-tip="Esc" onClick=${close}><${Icon} name="x" /></button></span></div>
    ${children}
  </aside>`;
}
