/** Schedules: what rotates which keys and what nothing; next and last runs; a panel with each. */
import { html } from '../../view.js';
import { api } from '../../api.js';
import { useGet } from '../../data.js';
import { usePage } from '../../page.js';
import { go, query } from '../../router.js';
import { segment } from '../../lib/query.js';
import { runCounts } from '../../lib/schedule.js';
import { number, plural } from '../../lib/text.js';
import { lacksRight } from '../../rights.js';
import { Stack } from '../../components/charts.js';
import { Card, Empty, State, Time } from '../../components/bits.js';
import { Head } from '../../components/head.js';
import { Icon } from '../../components/icon.js';
import { List } from '../../components/list/list.js';
import { YES_NO } from '../../components/list/filters.js';
import { SchedulePanel } from './panel.js';
import { Year } from './year.js';

export const OPERATIONS = /** @type {Record<string, string>} */ ({ cckm_key_rotation: 'rotation', cckm_synchronization: 'synchronisation', cckm_xks_credential_rotation: 'credentials', cckm_drift_watch: 'drift watch', database_backup: 'backup' });

/** What the last run did, in words. @param {any} run */
export function runWords(run) {
  const { succeeded, failed } = runCounts(run);
  const counts = [succeeded > 0 && `${number(succeeded)} done`, failed > 0 && `${number(failed)} failed`].filter(Boolean).join(', ');
  return counts || (run.overall_status === 'completed' ? 'done' : String(run.overall_status).replace('_', ' '));
}

/** @type {import('../../components/list/table.js').Column[]} */
const COLUMNS = [
  { id: 'name', title: 'Name', sort: 'name', cell: (row) => html`<bdi class="strong cut">${row.name}</bdi>${row.disabled && html` <span class="chip">off</span>`}` },
  { id: 'what', title: 'Does', width: 120, leaves: 2, cell: (row) => html`<span class="t2">${OPERATIONS[row.operation] ?? row.operation}</span>` },
  { id: 'when', title: 'When', cell: (row) => html`<div class="cut">${row.run_at_words ?? ''}</div><code class="t2">${row.run_at}</code>` },
  { id: 'next', title: 'Next', width: 170, cell: (row) => (row.disabled ? html`<span class="t3">is off</span>` : html`<${Time} at=${row.next_run_at} none="never" />`) },
  { id: 'covers', title: 'Covers', width: 96, end: true, leaves: 2, cell: (row) => html`<${Covers} row=${row} />` },
  { id: 'last', title: 'Last run', width: 210, cell: (row) => (row.last_run ? html`<${State} state=${row.last_run.failed > 0 ? 'failed' : row.last_run.overall_status} word=${html`${runWords(row.last_run)}, <${Time} at=${row.last_run.completed_at ?? row.last_run.started_at} />`} />` : html`<span class="t3">none yet</span>`) },
];

export function Schedules() {
  usePage({ title: 'Schedules', terraform: 'data "ciphertrust_scheduler_list" "all" {\n}' });
  const open = query.value.open;
  const covered = useGet('/scheduler/coverage').data;
  return html`<div class="page full"><${Head} title="Schedules" sub="Times are UTC. A run that was missed while Claviger was down runs once at the start."
      actions=${lacksRight('schedules') ? null : html`<a class="button ink" href="/scheduler/job-configs?new=1" data-key="c"><${Icon} name="plus" size="small" />New schedule<kbd>C</kbd></a>`} />
    <div class="body tight">${covered?.keys > 0 && html`<${Coverage} data=${covered} />`}</div>
    <div class="with-panel"><div class="list-side"><${List} path="/scheduler/job-configs" noun=${['schedule', 'schedules']} columns=${COLUMNS} sort="name" two panel search=${{ placeholder: 'Name' }}
      filters=${[{ name: 'operation', title: 'Does', many: true, options: Object.entries(OPERATIONS) }, { name: 'disabled', title: 'Off', options: YES_NO }]}
      empty=${html`<${Empty} icon="calendar-clock" title="No schedule yet">A schedule rotates keys, synchronises, or watches what others change.<br /><a href="/scheduler/job-configs?new=1">New schedule</a><//>`} />${covered && html`<div class="body tight"><${Year} schedules=${covered.schedules} /></div>`}</div>
      ${open && html`<${SchedulePanel} id=${open} key=${open} />`}</div></div>`;
}

/** How much a schedule is about. @param {{row: any}} props */
function Covers({ row }) {
  const { kms, synchronize_all: all } = row.job_config_params ?? {};
  if (all) return html`<span class="t2">all KMSs</span>`;
  const counts = /** @type {Record<string, [number, string, string]>} */ ({ cckm_key_rotation: [row.keys_count ?? 0, 'key', 'keys'], cckm_xks_credential_rotation: [row.custom_key_stores_count ?? 0, 'store', 'stores'], cckm_synchronization: [[kms ?? []].flat().length, 'KMS', 'KMSs'], cckm_drift_watch: [[kms ?? []].flat().length, 'KMS', 'KMSs'] });
  const [count, one, many] = counts[row.operation] ?? [];
  return count === undefined ? '' : html`<b>${number(count)}</b> <span class="t2">${count === 1 ? one : many}</span>`;
}

/** `/scheduler/job-configs/{id}` leads to the list with the schedule opened. @param {{id: string}} props */
export function OpenSchedule({ id }) {
  queueMicrotask(() => go(`/scheduler/job-configs?open=${encodeURIComponent(id)}`, { replace: true }));
  return null;
}

/** Which keys are rotated by what. @param {{data: any}} props */
function Coverage({ data }) {
  const parts = [
    { label: 'AWS rotates them', value: data.rotated_by_aws, color: 'age-2', href: '/cckm/aws/keys?rotated_by=aws' },
    { label: 'A schedule here rotates them', value: data.rotated_by_schedules, color: 'accent', href: '/cckm/aws/keys?rotated_by=schedule' },
    { label: 'Cannot rotate now, or not at all', value: data.not_applicable, color: 'line-2' },
    { label: 'Nothing rotates them', value: data.rotated_by_nothing, color: 'danger', href: '/cckm/aws/posture?open=no_schedule' },
  ];
  return html`<${Card}><div class="row"><h3>Which keys are rotated</h3><span class="small t2">${plural(data.keys, 'key')}</span>${data.rotated_by_nothing > 0 && html`<span class="end small t2">${plural(data.rotated_by_nothing, 'key is', 'keys are')} under nothing. <a href="/cckm/aws/posture?open=no_schedule">See them</a></span>`}</div>
    <div class="column coverage"><${Stack} tall parts=${parts} /><div class="row wide wrap">${parts.map((part) => {
      const words = html`<span class="swatch" style=${{ background: `var(--${part.color})` }} /><b>${number(part.value)}</b> ${part.label}`;
      return part.href ? html`<a class=${`row small plain ${part.color === 'danger' && part.value > 0 ? 'danger' : ''}`} href=${part.href}>${words}</a>` : html`<span class="row small">${words}</span>`;
    })}</div></div><//>`;
}

/** Starts a run. @param {string} id */
export const runNow = (id) => api.post(`/scheduler/job-configs/${segment(id)}/run-now`);
