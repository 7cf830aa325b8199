/** The list of connections: which fail, since when. */
import { html } from '../../view.js';
import { usePage } from '../../page.js';
import { go } from '../../router.js';
import { segment } from '../../lib/query.js';
import { lacksRight } from '../../rights.js';
import { Empty, Name, Time } from '../../components/bits.js';
import { Head } from '../../components/head.js';
import { YES_NO } from '../../components/list/filters.js';
import { List } from '../../components/list/list.js';
import { Button } from '../../components/popup.js';
import { CONNECTIONS, ConnectionState, FailsSince, PARTITIONS } from './parts.js';

/** @type {import('../../components/list/filters.js').Filter[]} */
const FILTERS = [{ name: 'last_connection_ok', title: 'Works', options: YES_NO }, { name: 'cloud_name', title: 'Partition', options: PARTITIONS }, { name: 'name', title: 'Name' }, { name: 'labels', title: 'Label', placeholder: 'team=payments' }];

/** @type {import('../../components/list/table.js').Column[]} */
const COLUMNS = [
  { id: 'name', title: 'Name', width: 220, sort: 'name', cell: (row) => html`<${Name} text=${row.name} />`, second: (row) => row.description || row.access_key_id || 'Roles Anywhere' },
  { id: 'state', title: 'State', width: 112, sort: 'last_connection_ok', cell: (row) => html`<${ConnectionState} row=${row} />` },
  { id: 'since', title: 'Since', width: 130, cell: (row) => (row.last_connection_ok === false ? html`<${FailsSince} row=${row} />` : html`<span class="t2"><${Time} at=${row.last_connection_at} none="" /></span>`) },
  { id: 'error', title: 'What AWS says', leaves: 2, cell: (row) => (row.last_connection_ok === false ? html`<span class="danger cut" data-tip-cut=${row.last_connection_error}>${row.last_connection_error}</span>` : html`<span class="t2 cut">${row.description}</span>`) },
  { id: 'by', title: 'Signs in by', width: 190, leaves: 1, cell: (row) => (row.is_role_anywhere ? 'Roles Anywhere' : html`<span class="mono t2">${row.access_key_id}</span>`) },
  { id: 'role', title: 'Role', width: 200, hidden: true, cell: (row) => html`<span class="mono t2 cut" data-tip-cut=${row.assume_role_arn}>${row.assume_role_arn}</span>` },
  { id: 'cloud', title: 'Partition', width: 96, sort: 'cloud_name', leaves: 1, cell: (row) => html`<span class="t2">${row.cloud_name}</span>` },
  { id: 'created', title: 'Added', width: 130, sort: 'createdAt', hidden: true, cell: (row) => html`<${Time} at=${row.createdAt} />` },
];

export function ConnectionList() {
  usePage({ title: 'Connections', terraform: 'data "ciphertrust_aws_connection_list" "all" {\n}' });
  const missing = lacksRight('connections');
  const add = () => go(`${CONNECTIONS}?new=1`);
  return html`<div class="page full"><${Head} title="Connections" actions=${html`<${Button} class="ink" icon="plus" kbd="C" missing=${missing} onClick=${add}>Add a connection<//>`} />
    <${List} path=${CONNECTIONS} noun=${['connection', 'connections']} columns=${COLUMNS} filters=${FILTERS} views=${[{ title: 'All', query: {} }, { title: 'Failing', query: { last_connection_ok: 'false' } }]} sort="name" search=${{ placeholder: 'Name' }} href=${(/** @type {any} */ row) => `${CONNECTIONS}/${segment(row.id)}`}
      empty=${html`<${Empty} icon="plug" title="No connections yet">A connection is how Claviger signs in to AWS.<br />${!missing && html`<a href=${`${CONNECTIONS}?new=1`}>Add a connection</a>`}<//>`} /></div>`;
}
