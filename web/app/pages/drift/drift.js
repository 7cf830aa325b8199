/** What others changed in AWS, not through Claviger; a panel with before and after. */
import { html } from '../../view.js';
import { useGet } from '../../data.js';
import { usePage } from '../../page.js';
import { query } from '../../router.js';
import { segment } from '../../lib/query.js';
import { principalWords } from '../../lib/policy.js';
import { jsonText } from '../../lib/text.js';
import { Chip, Empty, ErrorNote, IdLine, Name, Note, Pairs, Skeleton, Time } from '../../components/bits.js';
import { Head, SidePanel } from '../../components/head.js';
import { Icon } from '../../components/icon.js';
import { Difference } from '../../components/json.js';
import { YES_NO, kmsOptions } from '../../components/list/filters.js';
import { List } from '../../components/list/list.js';
import { keyName } from '../../lib/key.js';

/** @type {import('../../components/list/table.js').Column[]} */
const COLUMNS = [
  { id: 'time', title: 'When', width: 170, cell: (row) => html`<${Time} at=${row.event_time} />` },
  { id: 'who', title: 'Who', cell: (row) => html`<span class="row"><${Icon} name="cloud" class="warn" /><span class="cut" data-tip=${row.user_identity}>${principalWords(String(row.user_identity ?? ''))}</span></span>`, second: (row) => html`<${Time} at=${row.event_time} />` },
  { id: 'what', title: 'What', cell: (row) => html`<span class="strong cut">${row.event_name}</span>` },
  { id: 'aspects', title: 'Changed', width: 220, leaves: 2, cell: (row) => html`<span class="row">${(row.changes ?? []).slice(0, 3).map((/** @type {any} */ change) => html`<${Chip} tone="warn">${change.aspect}<//>`)}${row.superseded && html`<span class="t3">superseded</span>`}${!row.superseded && (row.changes ?? []).length === 0 && html`<span class="t3">nothing that is read</span>`}</span>` },
  { id: 'where', title: 'KMS, region', width: 200, cell: (row) => html`<span class="t2 cut">${row.kms}, ${row.region}</span>` },
  { id: 'from', title: 'From', width: 130, leaves: 1, cell: (row) => html`<span class="mono t2">${row.source_ip}</span>` },
];

/** What is left of them beside an entry. */
const BESIDE = ['time', 'who', 'what'];

export function DriftEvents() {
  usePage({ title: 'Changed in AWS', crumbs: [{ label: 'Posture', href: '/cckm/aws/posture' }, { label: 'Changed in AWS' }] });
  const open = query.value.open;
  return html`<div class="page full"><${Head} title="Changed in AWS" sub="By others, not through Claviger, as CloudTrail tells a drift watch. The last 10 000." actions=${html`<a class="button" href="/scheduler/job-configs?operation=cckm_drift_watch"><${Icon} name="calendar-clock" size="small" />Drift watches</a>`} />
    <div class="with-panel"><div class="list-side"><${List} path="/cckm/aws/drift-events" noun=${['change', 'changes']} columns=${open ? COLUMNS.filter((column) => BESIDE.includes(column.id)) : COLUMNS} panel every=${15_000}
      filters=${[{ name: 'kms', title: 'KMS', many: true, options: kmsOptions }, { name: 'aspect', title: 'Changed', many: true, options: ['existence', 'state', 'description', 'deletion_date', 'expiry', 'material', 'policy', 'aliases', 'tags', 'rotation', 'multi_region', 'key_store'].map((one) => [one, one.replaceAll('_', ' ')]) }, { name: 'event_name', title: 'What', placeholder: 'PutKeyPolicy' }, { name: 'user_identity', title: 'Who' }, { name: 'region', title: 'Region' }, { name: 'superseded', title: 'Superseded', options: YES_NO }, { name: 'start_time', title: 'Since', kind: 'date' }, { name: 'end_time', title: 'Until', kind: 'date' }]}
      empty=${html`<${Empty} icon="cloud" title="Nobody changed anything in AWS">as far as a drift watch has told. Without a drift watch only a synchronisation shows differences.<br /><a href="/scheduler/job-configs?new=1">Make a drift watch</a><//>`} /></div>${open && html`<${DriftPanel} key=${open} id=${open} />`}</div></div>`;
}

/** @param {{id: string}} props */
function DriftPanel({ id }) {
  const read = useGet(`/cckm/aws/drift-events/${segment(id)}`);
  const one = read.data;
  const key = useGet(one?.key_id ? `/cckm/aws/keys/${segment(one.key_id)}` : null);
  if (!one) return html`<${SidePanel} wide title="Change"><div class="panel-body">${read.error ? html`<${ErrorNote} error=${read.error} />` : html`<${Skeleton} rows=${5} />`}</div><//>`;
  return html`<${SidePanel} wide title=${one.event_name} beside=${html`<${Chip} tone="warn">in AWS, not through Claviger<//>`}><div class="panel-body">
    <${Pairs} of=${[['Happened', html`<${Time} at=${one.event_time} />`], ['Who', html`<${IdLine} text=${String(one.user_identity ?? '')} what="the principal" />`], ['From', html`<span class="mono">${one.source_ip}</span> <span class="t2">${one.user_agent}</span>`], ['Key', one.key_id ? html`<a href=${`/cckm/aws/keys/${segment(one.key_id)}`}>${key.data ? html`<${Name} text=${keyName(key.data)} />` : one.key_id.slice(0, 8)}</a>` : one.key_arn && html`<${IdLine} text=${one.key_arn} short />`], ['AWS event', html`<${IdLine} text=${one.event_id ?? ''} short what="the id of the event" />`], ['Request', html`<${IdLine} text=${one.request_id ?? ''} short what="the id of the request" />`]]} />
    ${one.note && html`<${Note}>${one.note}<//>`}${(one.changes ?? []).map((/** @type {any} */ change) => html`<div><h4>${change.aspect.replaceAll('_', ' ')}</h4><${Difference} before=${jsonText(change.before)} after=${jsonText(change.after)} /></div>`)}</div><//>`;
}
