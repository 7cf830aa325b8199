/** The rights on a KMS by person: what each may, and through what. */
import { html } from '../../view.js';
import { Avatar, Chip } from '../../components/bits.js';

/** @param {{columns: Array<{key: string, name: string, group: boolean}>, cells: import('./matrix.js').Cells}} props */
export function ByPerson({ columns, cells }) {
  return html`<div class="table-wrap"><table class="table by-person"><thead><tr><th scope="col" style=${{ width: '220px' }}>Who</th><th scope="col">Permitted here</th><th scope="col" class="hide-small">Through a group</th></tr></thead><tbody>${columns.map((column) => {
    const own = [...cells.here.get(column.key) ?? []].filter((action) => cells.pending[`${column.key} ${action}`] !== false);
    const more = Object.entries(cells.pending).filter(([cell, permit]) => permit && cell.startsWith(`${column.key} `)).map(([cell]) => cell.slice(column.key.length + 1));
    const less = Object.entries(cells.pending).filter(([cell, permit]) => !permit && cell.startsWith(`${column.key} `)).map(([cell]) => cell.slice(column.key.length + 1));
    const groups = cells.groupsOf(column.key).filter((group) => cells.here.has(`g:${group}`));
    return html`<tr key=${column.key}><td><span class="row"><${Avatar} name=${column.name} group=${column.group} /><bdi class="strong cut">${column.name}</bdi></span></td>
      <td><span class="row wrap">${own.map((action) => html`<${Chip} key=${action}>${action}<//>`)}${more.map((action) => html`<${Chip} key=${action} tone="ok">+ ${action}<//>`)}${less.map((action) => html`<${Chip} key=${action} tone="danger">− ${action}<//>`)}${own.length + more.length + less.length === 0 && html`<span class="t3">nothing</span>`}</span></td>
      <td class="hide-small"><span class="row wrap">${groups.map((group) => html`<${Chip} key=${group} tone="accent"><span><bdi>${group}</bdi>, ${cells.here.get(`g:${group}`)?.size}</span><//>`)}${groups.length === 0 && !column.group && html`<span class="t3">none</span>`}</span></td></tr>`;
  })}</tbody></table></div>`;
}
