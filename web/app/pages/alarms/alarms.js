/** Alarms: what was raised, by whom; taken note of, cleared. Webhooks are a tab. */
import { html } from '../../view.js';
import { api } from '../../api.js';
import { changed } from '../../data.js';
import { usePage } from '../../page.js';
import { segment } from '../../lib/query.js';
import { lacksRight } from '../../rights.js';
import { Empty, State, Time } from '../../components/bits.js';
import { act } from '../../components/over.js';
import { Head, Tabs } from '../../components/head.js';
import { List } from '../../components/list/list.js';
import { YES_NO, kmsOptions } from '../../components/list/filters.js';
import { Button } from '../../components/popup.js';
import { Webhooks } from './webhooks.js';

const NAMES = ['deletion_scheduled', 'policy_opened', 'key_disabled', 'rotation_off', 'material_expiring', 'connection_failed', 'connection_recovered', 'store_failed'];
/** "deletion_scheduled" as words. @param {string} name */
export const alarmWords = (name) => name.replaceAll('_', ' ').replace(/^./, (letter) => letter.toUpperCase());
export const ALARM_NAMES = NAMES;

/** @type {import('../../components/list/table.js').Column[]} */
const COLUMNS = [
  { id: 'severity', title: 'Severity', width: 110, cell: (row) => html`<${State} state=${row.severity === 'warning' ? 'warn' : row.severity === 'info' ? 'ok' : row.severity} word=${alarmWords(row.severity)} />` },
  { id: 'what', title: 'What', cell: (row) => html`<span class="strong">${alarmWords(row.name)}</span> <span class="t2" data-tip-cut=${row.description}>${row.description}</span>`, second: (row) => html`<${Time} at=${row.triggeredAt} />` },
  { id: 'where', title: 'Of', width: 200, leaves: 2, cell: (row) => html`<span class="cut">${row.key_id ? html`<a class="accent" href=${`/cckm/aws/keys/${segment(row.key_id)}`}>the key</a>` : row.custom_key_store_id ? html`<a class="accent" href=${`/cckm/aws/custom-key-stores/${segment(row.custom_key_store_id)}`}>the key store</a>` : row.connection_id ? html`<a class="accent" href=${`/connectionmgmt/services/aws/connections/${segment(row.connection_id)}`}>the connection</a>` : ''} <span class="t2">${[row.kms, row.region].filter(Boolean).join(', ')}</span></span>` },
  { id: 'who', title: 'By', width: 150, leaves: 1, cell: (row) => (row.cause === 'outside' ? html`<span class="warn cut" data-tip=${row.caused_by}>in AWS</span>` : html`<bdi class="cut">${row.caused_by}</bdi>`) },
  { id: 'when', title: 'Raised', width: 150, leaves: 2, cell: (row) => html`<${Time} at=${row.triggeredAt} />` },
  { id: 'acts', title: 'Now', width: 200, cell: (row) => html`<${Acts} row=${row} />` },
];

/** @param {{row: any}} props */
function Acts({ row }) {
  const missing = lacksRight('alarms');
  const run = (/** @type {string} */ verb, /** @type {string} */ done) => act(() => api.post(`/alarms/${segment(row.id)}/${verb}`).then((answer) => (changed('/alarms'), answer)), done);
  if (row.state === 'off') return html`<span class="t3">cleared <${Time} at=${row.clearedAt} /></span>`;
  return html`<span class="row">${row.ackedAt || row.acknowledged ? html`<span class="small t2 cut">noted by ${row.ackedBy}</span>` : html`<${Button} class="small quiet" missing=${missing} onClick=${() => run('acknowledge', 'Noted.')}>Note it<//>`}<${Button} class="small quiet" missing=${missing} onClick=${() => run('clear', 'The alarm is cleared.')}>Clear<//></span>`;
}

export function Alarms() {
  usePage({ title: 'Alarms' });
  return html`<div class="page full"><${Head} title="Alarms" sub="Raised with the change that causes them, whether it was made here or in AWS." />
    <${Tabs} tabs=${[{ id: 'alarms', label: 'Alarms', show: () => html`<${List} path="/alarms" noun=${['alarm', 'alarms']} columns=${COLUMNS} every=${15_000} views=${[{ title: 'Open', query: { state: 'on' } }, { title: 'Not noted yet', query: { acknowledged: 'false', state: 'on' } }, { title: 'All', query: {} }]}
      filters=${[{ name: 'severity', title: 'Severity', many: true, options: [['critical', 'critical'], ['warning', 'warning'], ['info', 'info']] }, { name: 'name', title: 'What', many: true, options: NAMES.map((one) => [one, alarmWords(one)]) }, { name: 'state', title: 'State', options: [['on', 'open'], ['off', 'cleared']] }, { name: 'acknowledged', title: 'Noted', options: YES_NO }, { name: 'kms', title: 'KMS', options: kmsOptions }]}
      empty=${html`<${Empty} icon="bell" title="No alarm was raised.">A scheduled deletion, an opened policy, a failing connection would be here.<//>`} />` },
    !lacksRight('alarms') && { id: 'webhooks', label: 'Webhooks', show: () => html`<${Webhooks} />` }]} /></div>`;
}

