/** Backups: each a file that is encrypted for the recipients in the settings. */
import { html } from '../../view.js';
import { api, saveFile } from '../../api.js';
import { changed } from '../../data.js';
import { usePage } from '../../page.js';
import { segment } from '../../lib/query.js';
import { number, size } from '../../lib/text.js';
import { Empty, IdLine, State, Time } from '../../components/bits.js';
import { ask } from '../../components/dialog.js';
import { showError } from '../../components/over.js';
import { Head } from '../../components/head.js';
import { Icon } from '../../components/icon.js';
import { List } from '../../components/list/list.js';
import { Menu } from '../../components/popup.js';
import { OperationTabs } from './tabs.js';

/** @param {any} row */
async function download(row) {
  try {
    const { blob, name } = await api.download(`/backups/${segment(row.id)}/download`);
    saveFile(blob, name);
  } catch (error) {
    showError(error);
  }
}

/** @type {import('../../components/list/table.js').Column[]} */
const COLUMNS = [
  { id: 'made', title: 'Made', width: 180, sort: 'createdAt', cell: (row) => html`<${Time} at=${row.createdAt} />` },
  { id: 'state', title: 'State', width: 160, cell: (row) => html`<${State} state=${row.file_gone ? 'Unavailable' : row.status} word=${row.file_gone ? 'File gone' : undefined} />` },
  { id: 'what', title: 'Description', cell: (row) => html`<span class="cut">${row.error ? html`<span class="danger" data-tip-cut=${row.error}>${row.error}</span>` : html`<bdi class="t2">${row.description}</bdi>`}</span>` },
  { id: 'head', title: 'Up to record', width: 120, end: true, leaves: 2, cell: (row) => (row.head ? `#${number(row.head)}` : '') },
  { id: 'size', title: 'Size', width: 100, end: true, cell: (row) => (row.size ? size(row.size) : '') },
  { id: 'hash', title: 'SHA-256', width: 140, leaves: 1, cell: (row) => (row.sha256 ? html`<${IdLine} text=${row.sha256} short what="the hash" />` : '') },
  { id: 'by', title: 'By', width: 110, leaves: 2, cell: (row) => (row.jobConfigID ? html`<a class="accent" href=${`/scheduler/job-configs?open=${encodeURIComponent(row.jobConfigID)}`}>a schedule</a>` : 'hand') },
  { id: 'acts', title: '', width: 60, cell: (row) => html`<${Menu} class="tiny" name="Acts on the backup" label=${html`<${Icon} name="ellipsis" />`} items=${[{ label: 'Download the file', icon: 'download', act: () => download(row) }, { label: 'Delete…', icon: 'trash-2', danger: true, act: () => drop(row) }]} />` },
];

/** @param {any} row */
const drop = (row) => ask({ title: 'Delete this backup?', act: 'Delete the backup', keep: 'Keep it', text: 'Its file goes first, then its entry.', run: (_, api) => api.delete(`/backups/${segment(row.id)}`) }).then((answer) => answer && changed('/backups'));

export function Backups() {
  usePage({ title: 'Backups', crumbs: [{ label: 'Operation' }, { label: 'Backups' }] });
  const make = () => ask({
    title: 'Make a backup now?', act: 'Make the backup', tone: 'ink', keep: 'Not now', values: { description: '' }, text: 'Everything, without the master key, encrypted for the recipients in the settings.',
    fields: (values, set) => html`<div class="field grow"><label for="backup-what">Description <span class="optional">optional</span></label><input id="backup-what" name="description" class="input" value=${values.description} onInput=${(/** @type {any} */ event) => set({ description: event.target.value })} /></div>`,
    run: (values, api) => api.post('/backups', values),
  }).then((answer) => answer && changed('/backups'));
  return html`<div class="page full"><${Head} title="Backups" sub=${html`<span>Restored with <code>claviger restore</code>. A schedule can make them.</span>`} actions=${html`<a class="button" href="/scheduler/job-configs?new=1">By a schedule</a><button type="button" class="button ink" data-key="c" onClick=${make}><${Icon} name="archive" size="small" />Make a backup<kbd>C</kbd></button>`} />
    <${OperationTabs} at="backups" /><${List} path="/backups" noun=${['backup', 'backups']} columns=${COLUMNS} sort="-createdAt" every=${10_000} filters=${[{ name: 'status', title: 'State', options: [['in_progress', 'in progress'], ['completed', 'completed'], ['error', 'failed']] }]} empty=${html`<${Empty} icon="archive" title="No backup yet">Make one, or have a schedule make them.<//>`} /></div>`;
}
