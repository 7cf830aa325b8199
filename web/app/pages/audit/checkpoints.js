/** The checkpoints of the log: signed statements of what it had, to be kept elsewhere. */
import { html, useState } from '../../view.js';
import { api, saveFile } from '../../api.js';
import { changed } from '../../data.js';
import { usePage } from '../../page.js';
import { number } from '../../lib/text.js';
import { Copy, Empty, Note, Time } from '../../components/bits.js';
import { Bitting } from '../../components/charts.js';
import { showError } from '../../components/over.js';
import { Head } from '../../components/head.js';
import { List } from '../../components/list/list.js';
import { Button } from '../../components/popup.js';
import { toast } from '../../components/toast.js';
import { saveCheckpoint } from './chain.js';

/** @type {import('../../components/list/table.js').Column[]} */
const COLUMNS = [
  { id: 'number', title: 'Up to record', width: 130, sort: 'number', cell: (row) => html`<b class="strong">#${number(row.number)}</b>`, second: (row) => html`<${Time} at=${row.time} />` },
  { id: 'time', title: 'Signed', width: 180, leaves: 2, cell: (row) => html`<${Time} at=${row.time} />` },
  { id: 'hash', title: 'Hash of the record', cell: (row) => html`<span class="row"><${Bitting} hash=${row.hash} teeth=${32} width=${128} height=${18} /><span class="mono t2 cut">${row.hash.slice(0, 16)}…</span><${Copy} text=${row.hash} what="the hash" /></span>` },
  { id: 'key', title: 'Key', width: 130, leaves: 1, cell: (row) => html`<span class="mono t2" data-tip=${row.key}>${row.key.slice(0, 8)}</span>` },
  { id: 'save', title: 'File', width: 90, cell: (row) => html`<button type="button" class="link" onClick=${() => saveCheckpoint(row)}>Save it</button>` },
];

export function Checkpoints() {
  usePage({ title: 'Checkpoints', crumbs: [{ label: 'Audit log', href: '/audit/records' }, { label: 'Checkpoints' }] });
  const [busy, setBusy] = useState(false);
  const make = async () => {
    setBusy(true);
    try {
      const made = await api.post('/audit/checkpoints');
      changed('/audit/checkpoints');
      toast(html`The checkpoint of record ${number(made.number)} is signed.`);
    } catch (error) {
      await showError(error);
    }
    setBusy(false);
  };
  const key = async () => {
    try {
      saveFile((await api.download('/audit/checkpoints/key')).blob, 'claviger-checkpoints.pem');
    } catch (error) {
      await showError(error);
    }
  };
  return html`<div class="page full"><${Head} title="Checkpoints" sub="Kept elsewhere, a checkpoint exposes whoever changes or cuts off the log before it." actions=${html`<${Button} icon="download" onClick=${key}>The public key<//><${Button} class="ink" icon="badge-check" busy=${busy} onClick=${make}>Make a checkpoint<//>`} />
    <div class="body note-only"><${Note} icon="terminal">Checked without this program’s help: <code>claviger verify --checkpoint checkpoint.json</code><//></div>
    <${List} path="/audit/checkpoints" noun=${['checkpoint', 'checkpoints']} columns=${COLUMNS} id=${(/** @type {any} */ row) => `${row.number}-${row.time}`} empty=${html`<${Empty} icon="badge-check" title="No checkpoint yet">One is made every hour if the log has grown.<//>`} /></div>`;
}
