/** The columns of a list: which are shown, and in which order. The address keeps both. */
import { html, useRef, useState } from '../../view.js';
import { query, setQuery } from '../../router.js';
import { isNarrow, isTablet } from '../../width.js';
import { Icon } from '../icon.js';
import { Popup } from '../popup.js';

/** @typedef {import('./table.js').Column} Column */

/** The columns that were chosen, in their order, or those that are shown unless others are. The first one has the links, and stays. @param {Column[]} columns @param {string | undefined} chosen `cols` of the query @returns {Column[]} */
function chosenColumns(columns, chosen) {
  const wanted = chosen?.split(',').flatMap((id) => columns.find((column) => column.id === id) ?? []);
  return wanted ? [...new Set([columns[0], ...wanted])] : columns.filter((column) => !column.hidden);
}

/** Those of the chosen columns for which there is room. @param {Column[]} columns @param {string | undefined} chosen `cols` of the query */
export function shownColumns(columns, chosen) {
  const all = chosenColumns(columns, chosen);
  if (isTablet.value) return all.filter((column) => !column.leaves);
  return isNarrow.value && !chosen ? all.filter((column) => column.leaves !== 1) : all;
}

/** The button, and its list of columns. @param {{columns: Column[]}} props */
export function Columns({ columns }) {
  return html`<${Popup} class="button small" end name="Columns" label=${html`<${Icon} name="columns-3" size="small" />${!isTablet.value && 'Columns'}`}>${() => html`
    <div class="heading">Columns<button type="button" class="link end" onClick=${() => setQuery({ cols: null })}>Reset</button></div><${Choice} columns=${columns} />`}<//>`;
}

/** @param {{columns: Column[]}} props */
function Choice({ columns }) {
  const box = useRef(/** @type {any} */ (null));
  const [dragged, setDragged] = useState(/** @type {{from: number, to: number} | null} */ (null));
  const chosen = chosenColumns(columns, query.value.cols);
  const all = [...chosen, ...columns.filter((column) => !chosen.includes(column))];
  const set = (/** @type {Column[]} */ next) => setQuery({ cols: next.map((one) => one.id).join(',') });
  const change = (/** @type {Column} */ column) => set(chosen.includes(column) ? chosen.filter((one) => one !== column) : [...chosen, column]);
  const move = (/** @type {number} */ from, /** @type {number} */ to) => {
    const rest = chosen.filter((_, i) => i !== from);
    set([...rest.slice(0, to), chosen[from], ...rest.slice(to)]);
  };
  // A place among the chosen ones, after the first.
  const place = (/** @type {number} */ to) => Math.max(1, Math.min(to, chosen.length - 1));
  const over = (/** @type {PointerEvent} */ event) => {
    if (!dragged) return;
    const at = [...box.current.children].findIndex((row) => event.clientY < row.getBoundingClientRect().bottom);
    setDragged({ ...dragged, to: place(at < 0 ? all.length : at) });
  };
  const drop = () => {
    if (dragged && dragged.from !== dragged.to) move(dragged.from, dragged.to);
    setDragged(null);
  };
  const keys = (/** @type {any} */ event, /** @type {number} */ from) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[/** @type {string} */ (event.key)];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const grip = event.currentTarget;
    move(from, place(from + by));
    // A row that moves in the page loses the focus.
    setTimeout(() => grip.focus());
  };
  const mark = (/** @type {number} */ i) => !dragged ? '' : i === dragged.from ? 'dragged' : i !== dragged.to ? '' : dragged.to < dragged.from ? 'before' : 'behind';
  return html`<div ref=${box}>${all.map((column, i) => html`<div key=${column.id} class=${`row movable ${mark(i)}`}>
    ${i > 0 && i < chosen.length
      ? html`<button type="button" class="grip" aria-label=${`Move ${column.title}: arrow up or down`} onKeyDown=${(/** @type {any} */ event) => keys(event, i)} onPointerMove=${over} onPointerUp=${drop} onPointerCancel=${() => setDragged(null)}
          onPointerDown=${(/** @type {any} */ event) => { event.currentTarget.setPointerCapture(event.pointerId); setDragged({ from: i, to: i }); }}><${Icon} name="grip-vertical" size="small" /></button>`
      : html`<span class="grip" />`}
    <label class="item check"><input type="checkbox" class="box" checked=${chosen.includes(column)} disabled=${i === 0} onChange=${() => change(column)} />${column.title}</label></div>`)}</div>`;
}
