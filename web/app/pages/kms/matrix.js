/**
 * The table of rights: rows are actions, columns who may them. One cell is in the order of Tab, arrows move within; Space or a click
 * changes, Shift-click and Shift-Space change a run of the column.
 */
import { html, useRef, useState } from '../../view.js';
import { Avatar } from '../../components/bits.js';

/**
 * @typedef {object} Cells
 * @property {Map<string, Set<string>>} here what entries permit
 * @property {Record<string, boolean>} pending what is wished beside
 * @property {(key: string) => string[]} groupsOf
 * @property {import('./people.js').People} people
 */

/** What a cell shows. @param {Cells} cells @param {string} who @param {string} action */
export function cellOf(cells, who, action) {
  const own = cells.here.get(who)?.has(action) ?? false;
  const wished = cells.pending[`${who} ${action}`];
  const through = cells.groupsOf(who).filter((group) => cells.pending[`g:${group} ${action}`] ?? cells.here.get(`g:${group}`)?.has(action));
  const fresh = through.some((group) => cells.pending[`g:${group} ${action}`]) && !through.some((group) => cells.here.get(`g:${group}`)?.has(action));
  return { own: wished ?? own, wished, through, fresh };
}

/** @param {{columns: Array<{key: string, name: string, group: boolean}>, groups: ReturnType<typeof import('../../lib/acl.js').actionGroups>, cells: Cells, wish: ((cells: Array<[string, boolean]>) => void) | null}} props wish: null if nothing can be changed */
export function Matrix({ columns, groups, cells, wish }) {
  const box = useRef(/** @type {any} */ (null));
  const [at, setAt] = useState([0, 0]);
  const anchor = useRef(/** @type {[number, number] | null} */ (null));
  const actions = groups.flatMap((group) => group.actions.map((action) => action.id));
  const changed = new Set(Object.keys(cells.pending).map((cell) => cell.slice(cell.lastIndexOf(' ') + 1)));
  const touched = new Set(Object.keys(cells.pending).map((cell) => cell.slice(0, cell.lastIndexOf(' '))));

  const press = (/** @type {number} */ row, /** @type {number} */ column, /** @type {boolean} */ run) => {
    if (!wish) return;
    const who = columns[column].key;
    const from = anchor.current;
    if (run && from && from[1] === column) {
      const permit = cellOf(cells, who, actions[from[0]]).own;
      const [low, high] = [Math.min(from[0], row), Math.max(from[0], row)];
      wish(actions.slice(low, high + 1).map((action) => [`${who} ${action}`, permit]));
    } else wish([[`${who} ${actions[row]}`, !cellOf(cells, who, actions[row]).own]]);
    anchor.current = [row, column];
  };
  const focus = (/** @type {number} */ row, /** @type {number} */ column) => {
    setAt([row, column]);
    // At once: a key that is pressed right after the arrow belongs to the new cell.
    box.current?.querySelector(`[data-cell="${row} ${column}"]`)?.focus();
  };
  const keys = (/** @type {any} */ event) => {
    const cell = event.target.dataset?.cell;
    if (!cell || event.ctrlKey || event.metaKey || event.altKey) return;
    const [row, column] = cell.split(' ').map(Number);
    const to = { ArrowDown: [row + 1, column], ArrowUp: [row - 1, column], ArrowRight: [row, column + 1], ArrowLeft: [row, column - 1], Home: [row, 0], End: [row, columns.length - 1], PageDown: [row + 8, column], PageUp: [row - 8, column] }[/** @type {string} */ (event.key)];
    if (to) focus(Math.max(0, Math.min(to[0], actions.length - 1)), Math.max(0, Math.min(to[1], columns.length - 1)));
    else if (event.key === ' ') press(row, column, event.shiftKey);
    else return;
    event.preventDefault();
  };
  let row = -1;
  return html`<div class="table-wrap rights" ref=${box} onKeyDown=${keys}><table class="matrix" role="grid" aria-label="Rights"><thead><tr><th scope="col" class="what">Action, and what it permits</th>
      ${columns.map((column) => html`<th scope="col" key=${column.key} class=${touched.has(column.key) ? 'touched' : ''}><span class="who"><${Avatar} name=${column.name} group=${column.group} /><bdi class="cut" data-tip-cut=${column.name}>${column.name}</bdi></span></th>`)}<th class="rest"></th></tr></thead>
    <tbody>${groups.map((group) => html`<tr class="of" key=${group.title}><th scope="rowgroup" colspan=${columns.length + 2}><span>${group.title}</span></th></tr>
      ${group.actions.map((action) => {
        row += 1;
        const here = row;
        return html`<tr key=${action.id} class=${changed.has(action.id) ? 'touched' : ''}><th scope="row" class="what"><span class="action"><code>${action.id}</code><span class="cut t2" data-tip-cut=${action.says}>${action.says}</span></span></th>
          ${columns.map((column, i) => html`<td key=${column.key} class=${touched.has(column.key) ? 'touched' : ''}><${Cell} what=${cellOf(cells, column.key, action.id)} name=${`${column.name}, ${action.id}`} place=${`${here} ${i}`} tab=${at[0] === here && at[1] === i} fixed=${!wish} press=${(/** @type {boolean} */ run) => { setAt([here, i]); press(here, i, run); }} /></td>`)}<td class="rest"></td></tr>`;
      })}`)}</tbody></table></div>`;
}

/** @param {{what: ReturnType<typeof cellOf>, name: string, place: string, tab: boolean, fixed: boolean, press: (run: boolean) => void}} props */
function Cell({ what, name, place, tab, fixed, press }) {
  const { own, wished, through, fresh } = what;
  const [kind, sign, says] = wished === true ? ['more', '+', 'not saved: permitted'] : wished === false ? ['less', '−', 'not saved: taken away'] : own ? ['here', '', 'permitted here'] : through.length > 0 ? [fresh ? 'group fresh' : 'group', '', `through ${through.join(', ')}`] : ['none', '', 'not permitted'];
  return html`<button type="button" class="cell-button" data-cell=${place} tabindex=${tab ? 0 : -1} aria-label=${`${name}: ${says}`} aria-pressed=${own} aria-disabled=${fixed ? 'true' : undefined} data-tip=${through.length > 0 && !own ? says : undefined} onClick=${(/** @type {MouseEvent} */ event) => press(event.shiftKey)}><i class=${`cell ${kind}`}>${sign}</i></button>`;
}
