/** The filters on tablets: one button with their number, and a sheet with all of them. */
import { html, useEffect, useRef, useState } from '../../view.js';
import { query, setQuery } from '../../router.js';
import { Icon } from '../icon.js';
import { Popup } from '../popup.js';
import { Values, valuesOf, wordsOf } from './filters.js';

/** @typedef {import('./filters.js').Filter} Filter */

/** @param {{filters: Filter[], present: Filter[]}} props present: those that the address has */
export function FilterSheet({ filters, present }) {
  const count = present.length;
  return html`<${Popup} class="button small" sheet end name=${count === 0 ? 'Filters' : `Filters, ${count} set`} label=${html`<${Icon} name="sliders-horizontal" size="small" />Filters${count > 0 && html` <b>${count}</b>`}`}>${(/** @type {() => void} */ close) => html`<${Sheet} filters=${filters} present=${present} close=${close} />`}<//>`;
}

/** @param {{filters: Filter[], present: Filter[], close: () => void}} props */
function Sheet({ filters, present, close }) {
  const [chosen, setChosen] = useState(/** @type {Filter | null} */ (null));
  const box = useRef(/** @type {any} */ (null));
  const all = [...filters, ...present.filter((filter) => !filters.includes(filter))];
  const back = () => setChosen(null);
  const clear = () => setQuery(Object.fromEntries([...present.map((filter) => [filter.name, null]), ['skip', null]]));
  // The button that had the focus is gone with the list that it was in.
  useEffect(() => {
    if (!box.current?.contains(document.activeElement)) box.current?.querySelector('input, button')?.focus();
  }, [chosen]);
  return html`<div class="filter-sheet" ref=${box}><div class="sheet-head">${chosen ? html`<button type="button" class="button small quiet" onClick=${back}><${Icon} name="chevron-left" size="small" />All filters</button>` : html`<h2>Filters</h2>`}
      <span class="grow"></span>${chosen ? query.value[chosen.name] !== undefined && html`<button type="button" class="link" onClick=${() => { setQuery({ [chosen.name]: null, skip: null }); back(); }}>Take it away</button>` : present.length > 0 && html`<button type="button" class="link" onClick=${clear}>Take all away</button>`}<button type="button" class="button small ink" onClick=${close}>Done</button></div>
    ${chosen ? html`<${Values} key=${chosen.name} filter=${chosen} close=${back} />` : all.map((filter) => html`<button type="button" key=${filter.name} class="item" onClick=${() => setChosen(filter)}><span>${filter.title}</span><span class="end row">${valuesOf(filter).length > 0 && html`<b class="cut">${wordsOf(filter).join(', ')}</b>`}<${Icon} name="chevron-right" size="small" /></span></button>`)}</div>`;
}
