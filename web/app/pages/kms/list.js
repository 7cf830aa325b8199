/** The list of KMSs: accounts, regions, health of the connection, keys and findings. */
import { html } from '../../view.js';
import { shared, useGet } from '../../data.js';
import { usePage } from '../../page.js';
import { lacksRight } from '../../rights.js';
import { segment, queryString } from '../../lib/query.js';
import { number } from '../../lib/text.js';
import { go } from '../../router.js';
import { Chip, Empty, Name, State, Time } from '../../components/bits.js';
import { Head } from '../../components/head.js';
import { List } from '../../components/list/list.js';
import { Button } from '../../components/popup.js';

const CLOUDS = /** @type {Array<[string, string]>} */ ([['aws', 'aws'], ['aws-us-gov', 'aws-us-gov'], ['aws-cn', 'aws-cn']]);

/** @type {import('../../components/list/filters.js').Filter[]} */
const FILTERS = [
  { name: 'status', title: 'Status', options: [['active', 'Active'], ['archived', 'Archived']] },
  { name: 'connection', title: 'Connection', options: async () => (await shared('/connectionmgmt/services/aws/connections', { limit: 200, sort: 'name' })).resources.map((/** @type {any} */ one) => [one.name, one.name]) },
  { name: 'region', title: 'Region', placeholder: 'eu-central-1' },
  { name: 'account_id', title: 'Account', placeholder: '123456789012' },
  { name: 'cloud_name', title: 'Partition', options: CLOUDS },
  { name: 'name', title: 'Name' },
];

/** The state of a KMS: its connection may fail. @param {{row: any, failing?: any}} props failing: the connection, if its last test failed */
export function KmsState({ row, failing }) {
  if (String(row.status).toLowerCase() === 'archived') return html`<${State} state="archived" />`;
  if (failing) return html`<span data-tip=${failing.last_connection_error}><${State} state="warn" word="Connection fails" /></span>`;
  return html`<${State} state="active" />`;
}

/** The regions as chips, the rest counted. @param {{regions: string[], most?: number}} props */
export function Regions({ regions = [], most = 3 }) {
  const rest = regions.slice(most);
  return html`<span class="row">${regions.slice(0, most).map((region) => html`<${Chip} key=${region}>${region}<//>`)}${rest.length > 0 && html`<span class="small t2" data-tip=${rest.join(', ')}>+${rest.length}</span>`}</span>`;
}

export function KmsList() {
  usePage({ title: 'KMSs', terraform: 'data "ciphertrust_aws_kms_list" "all" {\n}' });
  const posture = useGet('/cckm/aws/posture');
  const broken = useGet('/connectionmgmt/services/aws/connections', { last_connection_ok: false, limit: 200 });
  const counted = new Map((posture.data?.kms ?? []).map((/** @type {any} */ one) => [one.kms_id, one]));
  const failing = (/** @type {any} */ row) => (broken.data?.resources ?? []).find((/** @type {any} */ one) => one.name === row.connection || one.id === row.connection);
  const keys = (/** @type {any} */ row) => counted.get(row.id)?.keys;
  const findings = (/** @type {any} */ row) => counted.get(row.id)?.keys_with_findings ?? 0;
  /** @type {import('../../components/list/table.js').Column[]} */
  const columns = [
    { id: 'name', title: 'Name', sort: 'name', cell: (row) => html`<${Name} text=${row.name} />`, second: (row) => html`<span class="mono">${row.account_id}</span>, ${(row.regions ?? []).join(', ')}` },
    { id: 'status', title: 'Status', width: 150, sort: 'status', cell: (row) => html`<${KmsState} row=${row} failing=${failing(row)} />` },
    { id: 'account', title: 'Account', width: 124, sort: 'account_id', leaves: 2, cell: (row) => html`<span class="mono t2">${row.account_id}</span>` },
    { id: 'regions', title: 'Regions', width: 320, leaves: 2, cell: (row) => html`<${Regions} regions=${row.regions} />` },
    { id: 'keys', title: 'Keys', width: 70, end: true, cell: (row) => (keys(row) === undefined ? '' : html`<a href=${`/cckm/aws/keys${queryString({ kms: row.name })}`}>${number(keys(row))}</a>`) },
    { id: 'findings', title: 'With findings', width: 104, end: true, cell: (row) => (findings(row) > 0 ? html`<span class="danger medium">${number(findings(row))}</span>` : html`<span class="t3">${counted.has(row.id) ? 'none' : ''}</span>`) },
    { id: 'connection', title: 'Connection', width: 180, sort: 'connection', cell: (row) => html`<bdi class="t2 cut">${row.connection}</bdi>` },
    { id: 'acls', title: 'Rights', width: 90, end: true, leaves: 1, cell: (row) => html`<span class="t2">${row.acls?.length ?? 0}</span>` },
    { id: 'cloud', title: 'Partition', width: 96, sort: 'cloud_name', hidden: true, cell: (row) => row.cloud_name },
    { id: 'synced', title: 'Synchronised', width: 130, sort: 'synced_at', hidden: true, cell: (row) => html`<${Time} at=${row.synced_at} none="" />` },
    { id: 'created', title: 'Added', width: 130, sort: 'createdAt', hidden: true, cell: (row) => html`<${Time} at=${row.createdAt} />` },
  ];
  const missing = lacksRight('KMS');
  return html`<div class="page full"><${Head} title="KMSs" actions=${html`<${Button} class="ink" icon="plus" missing=${missing} kbd="C" onClick=${() => go('/cckm/aws/kms?new=1')}>Add a KMS<//>`} />
    <${List} path="/cckm/aws/kms" noun=${['KMS', 'KMSs']} columns=${columns} filters=${FILTERS} sort="name" search=${{ placeholder: 'Name or id' }} href=${(/** @type {any} */ row) => `/cckm/aws/kms/${segment(row.id)}`}
      empty=${html`<${Empty} icon="cloud" title="No KMS yet">A KMS is one AWS account with the regions that Claviger looks after.<br />${!missing && html`<a href="/cckm/aws/kms?new=1">Add a KMS</a>`}<//>`} /></div>`;
}
