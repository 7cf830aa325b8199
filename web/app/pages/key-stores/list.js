/** Custom key stores: is each serving, what AWS says of it, how old its credentials are. */
import { html } from '../../view.js';
import { usePage } from '../../page.js';
import { segment } from '../../lib/query.js';
import { number } from '../../lib/text.js';
import { changed, shared } from '../../data.js';
import { JOBS } from '../../lib/places.js';
import { lacksAnywhere } from '../../rights.js';
import { Chip, Empty, IdLine, Name, State } from '../../components/bits.js';
import { ask } from '../../components/dialog.js';
import { Head } from '../../components/head.js';
import { Icon } from '../../components/icon.js';
import { List } from '../../components/list/list.js';
import { YES_NO, kmsOptions } from '../../components/list/filters.js';
import { Button } from '../../components/popup.js';
import { toast } from '../../components/toast.js';
import { follow } from '../../frame/jobs.js';

const KINDS = /** @type {Record<string, string>} */ ({ LOCAL: 'served here', REMOTE: 'another proxy', CloudHSM: 'CloudHSM' });

/** The state of a store in one word: blocked and not linked come before what AWS says. @param {any} store */
export function storeState(store) {
  if (store.gone) return 'Gone';
  if (store.local_hosted_params?.blocked) return 'Blocked';
  if (store.type === 'LOCAL' && !store.local_hosted_params?.linked_state) return 'unlinked';
  return store.aws_param?.connection_state ?? 'Unknown';
}

/** @param {{row: any}} props */
export const StoreState = ({ row }) => (storeState(row) === 'unlinked' ? html`<${State} state="PendingImport" word="Not known to AWS" />` : html`<${State} state=${storeState(row)} />`);
/** @param {{row: any}} props */
export const StoreKind = ({ row }) => html`<${Chip} tone=${row.type === 'LOCAL' ? 'brass' : row.type === 'CloudHSM' ? 'hsm' : 'outline'}>${KINDS[row.type] ?? row.type}<//>`;

/** @type {import('../../components/list/table.js').Column[]} */
const COLUMNS = [
  { id: 'name', title: 'Name', sort: 'name', cell: (row) => html`<${Name} text=${row.name} />`, second: (row) => `${row.kms}, ${row.region}` },
  { id: 'state', title: 'State', width: 190, cell: (row) => html`<${StoreState} row=${row} />` },
  { id: 'kind', title: 'Kind', width: 120, cell: (row) => html`<${StoreKind} row=${row} />` },
  { id: 'kms', title: 'KMS', width: 140, leaves: 2, cell: (row) => html`<span class="t2 cut">${row.kms}</span>` },
  { id: 'region', title: 'Region', width: 120, leaves: 2, cell: (row) => row.region },
  { id: 'aws', title: 'In AWS', width: 220, leaves: 1, cell: (row) => (row.aws_param?.custom_key_store_id ? html`<${IdLine} text=${row.aws_param.custom_key_store_id} />` : html`<span class="t3">not yet</span>`) },
  { id: 'credentials', title: 'Credentials', width: 110, end: true, leaves: 2, cell: (row) => (row.type === 'LOCAL' ? html`${number(row.credential_count ?? 0)} <span class="t3">of ${row.local_hosted_params?.max_credentials}</span>` : '') },
];

/** Asks which KMSs, and starts the job that reads their key stores from AWS. */
async function synchronise() {
  const all = (await shared('/cckm/aws/kms', { limit: 200, sort: 'name' })).resources;
  const job = await ask({
    title: 'Read the key stores from AWS?', act: 'Synchronise', tone: 'ink', keep: 'Not now', values: { kms: '' },
    text: 'Stores that were made at AWS are found, and AWS’s names are taken over. A store that AWS does not have any more is marked as gone.',
    fields: (values, set) => html`<div class="field grow"><label for="sync-kms">KMS</label><select id="sync-kms" class="select" onChange=${(/** @type {any} */ event) => set({ kms: event.target.value })}><option value="" selected=${values.kms === ''}>all that you may synchronise</option>${all.map((/** @type {any} */ one) => html`<option value=${one.name} selected=${one.name === values.kms}>${one.name}</option>`)}</select></div>`,
    run: (values, api) => api.post('/cckm/aws/custom-key-stores/synchronization-jobs', values.kms === '' ? { synchronize_all: true } : { kms: [values.kms] }),
  });
  if (!job) return;
  follow(true);
  changed(JOBS.stores);
  toast('The key stores are read from AWS. It can be left.');
}

export function KeyStoreList() {
  usePage({ title: 'Key stores' });
  return html`<div class="page full"><${Head} title="Key stores" sub="Keys that AWS does not have: it asks here for each encryption and decryption." actions=${html`<${Button} icon="refresh-cw" missing=${lacksAnywhere('keysynchronize')} onClick=${synchronise}>Synchronise…<//>${!lacksAnywhere('keystoreadd') && html`<a class="button ink" href="/cckm/aws/custom-key-stores?new=1" data-key="c"><${Icon} name="plus" size="small" />Add a key store<kbd>C</kbd></a>`}`} />
    <${List} path="/cckm/aws/custom-key-stores" noun=${['key store', 'key stores']} columns=${COLUMNS} search=${{ name: 'name', placeholder: 'Name, or with *' }} href=${(/** @type {any} */ row) => `/cckm/aws/custom-key-stores/${segment(row.id)}`}
      filters=${[
        { name: 'kms', title: 'KMS', many: true, options: kmsOptions },
        { name: 'type', title: 'Kind', options: Object.entries(KINDS) }, { name: 'connection_state', title: 'AWS says', many: true, options: ['CONNECTED', 'CONNECTING', 'DISCONNECTED', 'DISCONNECTING', 'FAILED'].map((one) => [one, one]) }, { name: 'blocked', title: 'Blocked', options: YES_NO }, { name: 'linked_state', title: 'Known to AWS', options: YES_NO }, { name: 'gone', title: 'Gone', options: YES_NO }]}
      empty=${html`<${Empty} icon="vault" title="No key store yet">A key store keeps keys here for good; AWS asks for each use.<br /><a href="/cckm/aws/custom-key-stores?new=1">Add a key store</a><//>`} /></div>`;
}
