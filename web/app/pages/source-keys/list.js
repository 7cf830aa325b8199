/** Source keys: the material that is made or kept here. */
import { html } from '../../view.js';
import { usePage } from '../../page.js';
import { segment } from '../../lib/query.js';
import { isArchived } from '../../lib/source-key.js';
import { lacksRight } from '../../rights.js';
import { Bitting } from '../../components/charts.js';
import { Chip, Empty, Name, State, Time, now } from '../../components/bits.js';
import { Head } from '../../components/head.js';
import { Icon } from '../../components/icon.js';
import { List } from '../../components/list/list.js';
import { YES_NO } from '../../components/list/filters.js';
import { Areas } from './areas.js';

/** @type {import('../../components/list/table.js').Column[]} */
const COLUMNS = [
  { id: 'name', title: 'Name', sort: 'name', cell: (row) => html`<${Name} text=${row.name} />`, second: (row) => `version ${row.version}` },
  { id: 'cut', title: 'Fingerprint', width: 160, leaves: 2, cell: (row) => html`<span class="row"><${Bitting} hash=${row.sha256Fingerprint ?? ''} /><span class="mono t3">${(row.sha256Fingerprint ?? '').slice(0, 8)}</span></span>` },
  { id: 'state', title: 'State', width: 130, cell: (row) => html`<${State} state=${isArchived(row, now.value) ? 'archived' : row.state} />` },
  { id: 'algorithm', title: 'Algorithm', width: 130, cell: (row) => html`<span class="mono t2">${row.algorithm} ${row.size ?? row.curveid ?? ''}</span>` },
  { id: 'version', title: 'Version', width: 76, end: true, leaves: 1, cell: (row) => row.version },
  { id: 'origin', title: 'Made', width: 100, leaves: 1, cell: (row) => (row.origin === 'generated' ? 'here' : 'brought') },
  { id: 'exported', title: 'Exported', width: 190, leaves: 2, cell: (row) => html`<span class="row">${row.neverExported ? html`<span class="t3">never</span>` : html`<span class="warn">yes</span>`}${row.unexportable && html`<${Chip} tip="Its material never leaves">unexportable<//>`}</span>` },
  { id: 'created', title: 'Since', width: 140, sort: 'createdAt', cell: (row) => html`<${Time} at=${row.createdAt} />` },
];

export function SourceKeyList() {
  usePage({ title: 'Source keys', terraform: 'data "ciphertrust_cm_keys_list" "all" {\n}' });
  return html`<div class="page full"><${Head} title="Source keys" sub="Material that is made or kept here, sealed by the keyring." actions=${!lacksRight('source keys') && html`<a class="button ink" href="/vault/keys2?new=1" data-key="c"><${Icon} name="plus" size="small" />Make a source key<kbd>C</kbd></a>`} /><${Areas} />
    <${List} path="/vault/keys2" noun=${['source key', 'source keys']} columns=${COLUMNS} sort="-createdAt" search=${{ name: 'name', placeholder: 'Name, or with *' }} href=${(/** @type {any} */ row) => `/vault/keys2/${segment(row.id)}`}
      views=${[{ title: 'All versions', query: {} }, { title: 'Newest versions', query: { version: '-1' } }, { title: 'Not active', query: { state: ['Pre-Active', 'Deactivated', 'Compromised', 'Destroyed'] } }]}
      filters=${[{ name: 'state', title: 'State', many: true, options: ['Pre-Active', 'Active', 'Deactivated', 'Compromised', 'Destroyed'].map((one) => [one, one]) }, { name: 'algorithm', title: 'Algorithm', many: true, options: ['AES', 'RSA', 'EC', 'HMAC-SHA256', 'HMAC-SHA384', 'HMAC-SHA512'].map((one) => [one, one]) }, { name: 'unexportable', title: 'Unexportable', options: YES_NO }, { name: 'undeletable', title: 'Undeletable', options: YES_NO }, { name: 'neverExported', title: 'Never exported', options: YES_NO }, { name: 'version', title: 'Version', placeholder: '-1 for the newest' }]}
      empty=${html`<${Empty} icon="folder-key" title="No source key yet">Make one, to bring it to AWS or to hold it here.<br /><a href="/vault/keys2?new=1">Make a source key</a><//>`} /></div>`;
}
