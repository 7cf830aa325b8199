/** Filter chips and the menu that adds one. A filter is a member of the API's query. */
import { html, useEffect, useState } from '../../view.js';
import { shared } from '../../data.js';
import { query, setQuery } from '../../router.js';
import { listOf, listQuery } from '../../lib/query.js';
import { spaced } from '../../lib/text.js';
import { Icon } from '../icon.js';
import { Popup } from '../popup.js';
import { isTablet } from '../../width.js';
import { FilterSheet } from './filter-sheet.js';

/**
 * @typedef {object} Filter
 * @property {string} name the API's name
 * @property {string} title
 * @property {Array<[string, string]> | (() => Promise<Array<[string, string]>>)} [options] values with their words; without them a text is typed
 * @property {string} [placeholder]
 * @property {boolean} [many] several values may be chosen
 * @property {'date'} [kind]
 */

export const YES_NO = /** @type {Array<[string, string]>} */ ([['true', 'yes'], ['false', 'no']]);

/** The KMSs to choose from, by their names. @returns {Promise<Array<[string, string]>>} */
export const kmsOptions = async () => (await shared('/cckm/aws/kms', { limit: 200, sort: 'name' })).resources.map((/** @type {any} */ one) => [one.name, one.name]);

/** The values that the address has for a filter. @param {Filter} filter */
export const valuesOf = (filter) => listOf(query.value[filter.name]);

/** The same in words. @param {Filter} filter */
export const wordsOf = (filter) => valuesOf(filter).map((value) => (Array.isArray(filter.options) ? filter.options.find(([one]) => one === value)?.[1] : undefined) ?? value);

/** The filters that are set. What a link has set and no filter of the list is has a chip too: it narrows the list all the same. @param {Filter[]} filters @param {string[]} hidden @returns {Filter[]} */
function presentFilters(filters, hidden) {
  const set = Object.keys(listQuery(query.value)).filter((name) => !hidden.includes(name) && !['skip', 'limit', 'sort'].includes(name));
  const others = set.filter((name) => !filters.some((filter) => filter.name === name));
  return [...filters.filter((filter) => set.includes(filter.name)), ...others.map((name) => ({ name, title: spaced(name).replace(/^./, (letter) => letter.toUpperCase()) }))];
}

/** @param {{filters: Filter[], hidden: string[]}} props hidden: what the list fixes, and what it searches by */
export function Filters({ filters, hidden }) {
  const present = presentFilters(filters, hidden);
  if (isTablet.value) return (filters.length > 0 || present.length > 0) && html`<${FilterSheet} filters=${filters.filter((filter) => !hidden.includes(filter.name))} present=${present} />`;
  return html`${present.map((filter) => html`<${FilterChip} key=${filter.name} filter=${filter} />`)}
    ${filters.length > 0 && html`<${Popup} class="filter-add" label=${html`<${Icon} name="plus" size="small" />Filter`}>${(/** @type {() => void} */ close) => html`<${AddFilter} filters=${filters.filter((filter) => query.value[filter.name] === undefined)} close=${close} />`}<//>`}`;
}

/** @param {{filter: Filter}} props */
function FilterChip({ filter }) {
  return html`<span class="filter-chip"><${Popup} class="" label=${html`<span>${filter.title}</span><b>${wordsOf(filter).join(', ')}</b>`}>${(/** @type {() => void} */ close) => html`<${Values} filter=${filter} close=${close} />`}<//>
    <button type="button" class="tiny" aria-label=${`Take away the filter ${filter.title}`} onClick=${() => setQuery({ [filter.name]: null, skip: null })}><${Icon} name="x" size="small" /></button></span>`;
}

/** @param {{filters: Filter[], close: () => void}} props */
function AddFilter({ filters, close }) {
  const [chosen, setChosen] = useState(/** @type {Filter | null} */ (null));
  if (chosen) return html`<${Values} filter=${chosen} close=${close} />`;
  return html`<div>${filters.map((filter) => html`<button type="button" class="item" onClick=${() => setChosen(filter)}>${filter.title}<span class="end"><${Icon} name="chevron-right" size="small" /></span></button>`)}</div>`;
}

/** @param {{filter: Filter, close: () => void}} props */
export function Values({ filter, close }) {
  const present = valuesOf(filter);
  const [options, setOptions] = useState(/** @type {Array<[string, string]> | null} */ (Array.isArray(filter.options) ? filter.options : null));
  const [text, setText] = useState(present[0] ?? '');
  useEffect(() => {
    if (typeof filter.options === 'function') filter.options().then(setOptions, () => setOptions([]));
  }, []);
  const choose = (/** @type {string} */ value) => {
    const next = !filter.many ? [value] : present.includes(value) ? present.filter((one) => one !== value) : [...present, value];
    setQuery({ [filter.name]: next, skip: null });
    if (!filter.many) close();
  };
  if (filter.options) {
    if (options === null) return html`<div class="heading">Reading…</div>`;
    return html`<div class="heading">${filter.title}</div>${options.map(([value, words]) => html`<button type="button" class="item" onClick=${() => choose(value)}>
      <span class="cut">${words}</span>${present.includes(value) && html`<span class="end"><${Icon} name="check" size="small" label="chosen" /></span>`}</button>`)}
      ${options.length === 0 && html`<div class="heading">Nothing to choose from.</div>`}`;
  }
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    setQuery({ [filter.name]: filter.kind === 'date' && text !== '' ? `${text}T00:00:00Z` : text, skip: null });
    close();
  };
  return html`<form onSubmit=${submit}><label class="heading" for="filter-text">${filter.title}</label><div class="row"><div class="input small"><input id="filter-text" type=${filter.kind ?? 'text'} value=${filter.kind === 'date' ? text.slice(0, 10) : text}
    placeholder=${filter.placeholder ?? 'exactly, or with *'} onInput=${(/** @type {any} */ event) => setText(event.target.value)} /></div><button type="submit" class="button small">Apply</button></div></form>`;
}
