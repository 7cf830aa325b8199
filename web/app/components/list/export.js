/** The export of everything that matches. */
import { html } from '../../view.js';
import { api, saveFile } from '../../api.js';
import { csvCell } from '../../lib/text.js';
import { Icon } from '../icon.js';
import { Menu } from '../popup.js';
import { showError } from '../over.js';
import { isTablet } from '../../width.js';

/** Reads everything that matches, 500 rows at a time. @param {string} path @param {Record<string, any>} query */
async function everything(path, query) {
  const rows = [];
  for (let total = 1; rows.length < total;) {
    const page = await api.get(path, { ...query, skip: rows.length, limit: 500 });
    total = page.total;
    if (page.resources.length === 0) break;
    rows.push(...page.resources);
  }
  return rows;
}

/** A row without its nesting: `aws_param.KeyState`. @param {any} row @param {string} [before] @returns {Record<string, any>} */
function flat(row, before = '') {
  return Object.entries(row).reduce((all, [name, value]) => ({
    ...all,
    ...(value !== null && typeof value === 'object' && !Array.isArray(value) ? flat(value, `${before}${name}.`) : { [before + name]: value }),
  }), {});
}

/** @param {{path: string, query: Record<string, any>, name: string}} props */
export function ExportMenu({ path, query, name }) {
  const save = async (/** @type {'csv' | 'json'} */ kind) => {
    try {
      const rows = await everything(path, query);
      if (kind === 'json') return saveFile(new Blob([JSON.stringify(rows, null, 2)], { type: 'application/json' }), `${name}.json`);
      const flattened = rows.map((row) => flat(row));
      const head = [...new Set(flattened.flatMap((row) => Object.keys(row)))];
      const lines = [head, ...flattened.map((row) => head.map((member) => row[member]))].map((cells) => cells.map(csvCell).join(','));
      return saveFile(new Blob([`${lines.join('\r\n')}\r\n`], { type: 'text/csv' }), `${name}.csv`);
    } catch (error) {
      return showError(error);
    }
  };
  return html`<${Menu} class="button small" name="Export" label=${html`<${Icon} name="download" size="small" />${!isTablet.value && 'Export'}`} items=${[
    { label: 'CSV of all that match', icon: 'file-chart-column', act: () => save('csv') },
    { label: 'JSON of all that match', icon: 'file-braces', act: () => save('json') },
  ]} />`;
}
