/**
 * The table of a list: sorted by the server, chosen columns, selection with Shift and Ctrl, keys (J K or arrows, Space, Enter, O),
 * and a window over the rows if there are more than 200.
 */
import { html, useEffect, useRef, useState } from '../../view.js';
import { Icon } from '../icon.js';
import { go } from '../../router.js';
import { isTablet } from '../../width.js';

/**
 * @typedef {object} Column
 * @property {string} id
 * @property {string} title
 * @property {number} [width] pixels; without it the column takes what is left
 * @property {string} [sort] the API's name to sort by
 * @property {(row: any) => any} cell
 * @property {(row: any) => any} [second] tablet: what the first column shows in its second line
 * @property {boolean} [hidden] not shown until it is chosen
 * @property {number} [leaves] 1: leaves at 1280 px; 2: leaves on tablets
 * @property {boolean} [end] numbers, aligned to the end
 */

/**
 * @param {object} props
 * @param {Column[]} props.columns
 * @param {any[] | null} props.rows null while nothing was read yet
 * @param {(row: any) => string} [props.href]
 * @param {(row: any) => string} [props.id]
 * @param {string} props.label
 * @param {string} [props.sort] the API's sort
 * @param {(sort: string) => void} [props.onSort]
 * @param {Set<string>} [props.selected]
 * @param {(selected: Set<string>) => void} [props.onSelect]
 * @param {(row: any) => void} [props.onOpen] the side panel
 * @param {string} [props.open] the id of the row in the side panel
 * @param {boolean} [props.two] rows of two lines
 * @param {(row: any) => string} [props.rowClass]
 * @param {number} [props.skeleton] rows while nothing was read
 */
export function Table({ columns, rows, href, id = (row) => row.id, label, sort, onSort, selected, onSelect, onOpen, open, two, rowClass, skeleton = 8 }) {
  const wrap = useRef(/** @type {any} */ (null));
  const anchor = useRef(-1);
  const [at, setAt] = useState(0);
  const [top, setTop] = useState(0);
  const tall = two || (isTablet.value && columns.some((column) => column.second));
  const height = tall ? 52 : 36;
  const all = rows ?? [];
  const windowed = all.length > 200;
  const from = windowed ? Math.max(0, Math.floor(top / height) - 15) : 0;
  const until = windowed ? Math.min(all.length, from + Math.ceil((wrap.current?.clientHeight ?? 900) / height) + 30) : all.length;

  useEffect(() => {
    if (at >= all.length) setAt(0);
  }, [all.length]);

  const pick = (/** @type {number} */ index, /** @type {boolean} */ run) => {
    if (!selected || !onSelect) return;
    const next = new Set(selected);
    if (run && anchor.current >= 0) {
      const [low, high] = [Math.min(anchor.current, index), Math.max(anchor.current, index)];
      for (let i = low; i <= high; i += 1) next.add(id(all[i]));
    } else if (next.has(id(all[index]))) next.delete(id(all[index]));
    else next.add(id(all[index]));
    anchor.current = index;
    onSelect(next);
  };
  const focusRow = (/** @type {number} */ index) => {
    setAt(index);
    if (windowed) wrap.current.scrollTop = Math.max(0, index * height - wrap.current.clientHeight / 2);
    requestAnimationFrame(() => wrap.current?.querySelector(`[data-index="${index}"]`)?.focus());
  };
  const keys = (/** @type {any} */ event) => {
    if (event.target.closest('input:not(.box), select, textarea') || event.ctrlKey || event.metaKey || event.altKey) return;
    const index = Number(event.target.closest('tr')?.dataset.index ?? -1);
    if (index < 0) return;
    const step = { ArrowDown: 1, j: 1, J: 1, ArrowUp: -1, k: -1, K: -1 }[/** @type {string} */ (event.key)];
    if (step !== undefined && all[index + step] !== undefined) {
      if (event.shiftKey) {
        if (anchor.current < 0) pick(index, false);
        pick(index + step, true);
      }
      focusRow(index + step);
    } else if (event.key === ' ' && onSelect && event.target.tagName === 'TR') pick(index, event.shiftKey);
    else if (event.key === 'Enter' && event.target.tagName === 'TR') {
      if (href) go(href(all[index]));
      else onOpen?.(all[index]);
    } else if (event.key === 'o' && onOpen) onOpen(all[index]);
    else return;
    event.preventDefault();
  };
  const clicked = (/** @type {any} */ event, /** @type {number} */ index) => {
    if (event.target.closest('a, button, input, label')) return;
    if (onSelect && (event.shiftKey || event.ctrlKey || event.metaKey)) {
      pick(index, event.shiftKey);
      getSelection()?.removeAllRanges();
    } else if (onOpen) onOpen(all[index]);
    setAt(index);
  };
  const whole = all.length > 0 && selected !== undefined && all.every((row) => selected.has(id(row)));
  const part = !whole && selected !== undefined && all.some((row) => selected.has(id(row)));
  const span = columns.length + (onSelect ? 1 : 0);

  return html`<div class="table-wrap" ref=${wrap} onScroll=${windowed ? (/** @type {any} */ event) => setTop(event.target.scrollTop) : undefined} tabindex=${all.length === 0 ? undefined : -1}>
    <table class=${`table ${tall ? 'two' : ''}`} aria-label=${label} aria-rowcount=${windowed ? all.length : undefined} onKeyDown=${keys}>
    <thead><tr>${onSelect && html`<th class="tick" scope="col"><input type="checkbox" class="box" aria-label="Select the page" checked=${whole} indeterminate=${part}
        onChange=${() => onSelect(whole || part ? new Set() : new Set(all.map(id)))} /></th>`}
      ${columns.map((column) => html`<${HeadCell} column=${column} sort=${sort} onSort=${onSort} />`)}</tr></thead>
    <tbody>
      ${from > 0 && html`<tr aria-hidden="true" style=${{ height: `${from * height}px` }}><td colspan=${span}></td></tr>`}
      ${rows === null && Array.from({ length: skeleton }, (_, i) => html`<tr>${Array.from({ length: span }, (__, c) => html`<td><span class="skeleton" style=${{ width: `${40 + ((i * 7 + c * 13) % 40)}%` }} /></td>`)}</tr>`)}
      ${all.slice(from, until).map((row, i) => {
        const index = from + i;
        const chosen = selected?.has(id(row));
        return html`<tr key=${id(row)} data-index=${index} tabindex=${index === at ? 0 : -1} aria-selected=${onSelect ? Boolean(chosen) : undefined} aria-rowindex=${windowed ? index + 2 : undefined}
          class=${`${open === id(row) ? 'open' : ''} ${rowClass?.(row) ?? ''}`} onClick=${(/** @type {any} */ event) => clicked(event, index)} onFocus=${() => setAt(index)}>
          ${onSelect && html`<td class="tick"><input type="checkbox" class="box" tabindex="-1" aria-label="Select" checked=${chosen} onClick=${(/** @type {any} */ event) => pick(index, event.shiftKey)} /></td>`}
          ${columns.map((column, place) => {
            const inside = column.cell(row);
            const linked = place === 0 && href ? html`<a href=${href(row)} tabindex="-1">${inside}</a>` : inside;
            return html`<td class=${column.end ? 'num' : ''}>${linked}${tall && column.second && html`<span class="second">${column.second(row)}</span>`}</td>`;
          })}</tr>`;
      })}
      ${until < all.length && html`<tr aria-hidden="true" style=${{ height: `${(all.length - until) * height}px` }}><td colspan=${span}></td></tr>`}
    </tbody></table></div>`;
}

/** @param {{column: Column, sort?: string, onSort?: (sort: string) => void}} props */
function HeadCell({ column, sort, onSort }) {
  const up = column.sort !== undefined && sort === column.sort;
  const down = column.sort !== undefined && sort === `-${column.sort}`;
  const style = column.width ? { width: `${column.width}px` } : undefined;
  const kind = column.end ? 'num' : '';
  if (!column.sort || !onSort) return html`<th scope="col" class=${kind} style=${style}>${column.title}</th>`;
  return html`<th scope="col" class=${kind} style=${style} aria-sort=${up ? 'ascending' : down ? 'descending' : undefined}>
    <button type="button" onClick=${() => onSort(up ? `-${column.sort}` : /** @type {string} */ (column.sort))}><span class="cut">${column.title}</span>${(up || down) && html`<${Icon} name=${up ? 'arrow-up' : 'arrow-down'} />`}</button></th>`;
}
