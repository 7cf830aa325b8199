/** Jobs: bulk jobs, synchronisations, runs of schedules; what runs, what failed, and why for each key. */
import { html, useEffect, useRef, useState } from '../../view.js';
import { api } from '../../api.js';
import { changed, useGet } from '../../data.js';
import { useOpened, usePage } from '../../page.js';
import { query } from '../../router.js';
import { JOBS } from '../../lib/places.js';
import { segment } from '../../lib/query.js';
import { runCounts } from '../../lib/schedule.js';
import { number, plural } from '../../lib/text.js';
import { Progress } from '../../components/charts.js';
import { Chip, Empty, ErrorNote, Name, Pairs, Skeleton, State, Time } from '../../components/bits.js';
import { act } from '../../components/over.js';
import { Head, SidePanel, Tabs } from '../../components/head.js';
import { List } from '../../components/list/list.js';
import { YES_NO } from '../../components/list/filters.js';
import { Button } from '../../components/popup.js';
import { keyName } from '../../lib/key.js';
import { progressOf } from '../../frame/jobs.js';

/** The most results that a panel shows. */
const MOST_SHOWN = 200;
const STATUSES = /** @type {Array<[string, string]>} */ ([['in_progress', 'in progress'], ['completed', 'completed'], ['failed', 'failed']]);

export function Jobs() {
  usePage({ title: 'Jobs', call: { path: { sync: JOBS.sync, stores: JOBS.stores, runs: '/scheduler/jobs' }[/** @type {'sync'} */ (query.value.tab)] ?? JOBS.bulk } });
  return html`<div class="page full"><${Head} title="Jobs" sub="Long acts, which can be left. The last 1000 of each kind are kept here; the audit log has all." />
    <${Tabs} tabs=${[{ id: 'bulk', label: 'Bulk jobs', show: () => html`<${JobList} kind="bulk" />` }, { id: 'sync', label: 'Synchronisations', show: () => html`<${JobList} kind="sync" />` }, { id: 'stores', label: 'Synchronisations of key stores', show: () => html`<${JobList} kind="stores" />` }, { id: 'runs', label: 'Runs of schedules', show: () => html`<${Runs} />` }]} /></div>`;
}

/** @param {{kind: keyof typeof JOBS}} props */
function JobList({ kind }) {
  const open = query.value.open;
  const columns = /** @type {import('../../components/list/table.js').Column[]} */ ([
    { id: 'what', title: 'What', cell: (row) => html`<span class="strong cut">${progressOf(kind, row).title}</span>` },
    { id: 'state', title: 'State', width: 150, cell: (row) => html`<${State} state=${row.overall_status} word=${row.abort ? 'Stopped' : undefined} />` },
    { id: 'progress', title: 'Done', width: 220, cell: (row) => html`<${Done} kind=${kind} row=${row} />` },
    { id: 'begun', title: 'Begun', width: 170, sort: 'createdAt', cell: (row) => html`<${Time} at=${row.createdAt} />` },
    { id: 'ended', title: 'Ended', width: 170, leaves: 2, cell: (row) => html`<${Time} at=${row.completed_at} none="" />` },
  ]);
  return html`<div class="with-panel"><div class="list-side"><${List} key=${kind} path=${JOBS[kind]} noun=${['job', 'jobs']} columns=${columns} sort="-createdAt" every=${4000} panel filters=${[{ name: 'overall_status', title: 'State', many: true, options: STATUSES }, { name: 'abort', title: 'Stopped', options: YES_NO }]}
    empty=${html`<${Empty} icon="list-checks" title="No job has run yet">${kind === 'bulk' ? 'Select keys in a list to do something with all of them.' : kind === 'stores' ? 'A synchronisation reads the key stores from AWS.' : 'A synchronisation reads the keys from AWS.'}<//>`} /></div>${open && html`<${JobPanel} key=${open} kind=${kind} id=${open} />`}</div>`;
}

/** @param {{kind: keyof typeof JOBS, row: any}} props */
function Done({ kind, row }) {
  const { total, done, failed, running } = progressOf(kind, row);
  if (!running) return html`<span>${number(done)} of ${number(total)}${failed > 0 && html`, <span class="danger">${number(failed)} failed</span>`}</span>`;
  return html`<span class="row"><span class="grow"><${Progress} done=${done} failed=${failed} total=${total} label="Progress" /></span><span class="small t2">${done + failed} of ${total}</span></span>`;
}

/** Whether a part of a job was done, all of it. @param {any} status */
const isGood = (status) => /^(region synchronized )?success/i.test(String(status));

/** @param {{kind: keyof typeof JOBS, id: string}} props */
function JobPanel({ kind, id }) {
  const path = `${JOBS[kind]}/${segment(id)}`;
  const read = useGet(path, {}, { every: 3000 });
  const job = read.data;
  const entries = Object.entries(job?.detailed_status ?? {}).sort((a, b) => Number(isGood(a[1])) - Number(isGood(b[1])));
  const shown = entries.slice(0, MOST_SHOWN);
  useOpened({ call: { path, query: {} } });
  const names = useKeyNames(kind === 'bulk' ? shown.map(([of]) => of) : []);
  if (!job) return html`<${SidePanel} title="Job"><div class="panel-body">${read.error ? html`<${ErrorNote} error=${read.error} />` : html`<${Skeleton} rows=${4} />`}</div><//>`;
  const { title, running } = progressOf(kind, job);
  const stop = () => act(() => api.post(`${path}/cancel`).then((answer) => (read.reload(), changed(JOBS[kind]), answer)), 'It stops before the next step.');
  return html`<${SidePanel} title=${title} actions=${running && html`<${Button} class="small danger" onClick=${stop}>Stop<//>`}><section><${Pairs} of=${[['State', html`<${State} state=${job.overall_status} word=${job.abort ? 'Stopped' : undefined} />`], ['Begun', html`<${Time} at=${job.createdAt} />`], job.completed_at && ['Ended', html`<${Time} at=${job.completed_at} />`], job.kms && ['KMSs', job.kms.join(', ')], ['Done', html`<${Done} kind=${kind} row=${job} />`]]} /></section>
    <ul class="runs panel-body">${shown.map(([of, status]) => {
      const good = isGood(status);
      const counts = job.progress?.[of];
      return html`<li key=${of}><div class="row"><${State} state=${good ? 'success' : /in.progress|pending|not started/i.test(String(status)) ? 'in_progress' : 'failed'} word=${kind === 'bulk' ? html`<a class="plain" href=${`/cckm/aws/keys/${segment(of)}`}>${names[of] ? html`<${Name} text=${names[of]} />` : html`<span class="mono">${of.slice(0, 8)}</span>`}</a>` : html`<span class="mono">${of}</span>`} /></div>
        ${counts && html`<div class="small t2">${number(counts.listed ?? 0)} listed, ${number(counts.added ?? 0)} new, ${number(counts.updated ?? 0)} changed, ${counts.linked ? `${number(counts.linked)} linked, ` : ''}${number(counts.gone ?? 0)} gone</div>`}${!good && html`<div class="small t2 break">${String(status)}</div>`}</li>`;
    })}</ul><${NotShown} count=${entries.length - shown.length} /><//>`;
}

/** The names of keys by their ids. They are read once, many at a time: a job has up to ten thousand keys. @param {string[]} ids */
function useKeyNames(ids) {
  const [names, setNames] = useState(/** @type {Record<string, string>} */ ({}));
  const asked = useRef(/** @type {Set<string>} */ (new Set()));
  useEffect(() => {
    const next = ids.filter((id) => !asked.current.has(id));
    for (const id of next) asked.current.add(id);
    // A hundred ids are as long as an address may be everywhere; the id stands for a name that cannot be read.
    for (let i = 0; i < next.length; i += 100) {
      api.get('/cckm/aws/keys', { id: next.slice(i, i + 100), limit: 100, fields: 'id,aws_param.Alias,aws_param.KeyID' }).then(
        (answer) => setNames((old) => ({ ...old, ...Object.fromEntries(answer.resources.map((/** @type {any} */ key) => [key.id, keyName(key)])) })),
        () => undefined,
      );
    }
  }, [[...ids].sort().join()]);
  return names;
}

function Runs() {
  const open = query.value.open;
  const columns = /** @type {import('../../components/list/table.js').Column[]} */ ([
    { id: 'name', title: 'Schedule', cell: (row) => html`<a class="accent" href=${`/scheduler/job-configs?open=${encodeURIComponent(row.job_config_id ?? '')}`}><bdi class="cut">${row.name}</bdi></a>` },
    { id: 'state', title: 'State', width: 150, cell: (row) => html`<${State} state=${row.overall_status} />` },
    { id: 'why', title: 'Because', width: 110, cell: (row) => html`<${Chip}>${row.cause}<//>` },
    { id: 'counts', title: 'Done', width: 190, cell: (row) => html`<${RunCounts} run=${row} />` },
    { id: 'begun', title: 'Begun', width: 170, sort: 'createdAt', cell: (row) => html`<${Time} at=${row.createdAt} />` },
    { id: 'message', title: 'Message', leaves: 2, cell: (row) => html`<span class="t2 cut" data-tip-cut=${row.error}>${row.error ?? ''}</span>` },
  ]);
  return html`<div class="with-panel"><div class="list-side"><${List} path="/scheduler/jobs" noun=${['run', 'runs']} columns=${open ? columns.slice(0, 4) : columns} sort="-createdAt" panel filters=${[{ name: 'overall_status', title: 'State', many: true, options: STATUSES }, { name: 'cause', title: 'Because', options: [['due', 'it was due'], ['missed', 'it was missed'], ['asked', 'somebody asked']] }, { name: 'job_config_id', title: 'Schedule' }]} empty=${html`<${Empty} icon="calendar-clock" title="No schedule has run yet" />`} /></div>${open && html`<${RunPanel} key=${open} id=${open} />`}</div>`;
}

/** @param {{run: any}} props */
function RunCounts({ run }) {
  const { succeeded, failed } = runCounts(run);
  return succeeded + failed === 0 ? '' : html`<span>${number(succeeded)} done${failed > 0 && html`, <span class="danger">${number(failed)} failed</span>`}</span>`;
}

/** A run of a schedule: what became of each key or key store; what failed comes first. @param {{id: string}} props */
function RunPanel({ id }) {
  const path = `/scheduler/jobs/${segment(id)}`;
  const read = useGet(path, {}, { every: 3000 });
  const run = read.data;
  const all = [...(run?.results ?? [])].sort((a, b) => Number(isGood(a.status)) - Number(isGood(b.status)));
  const shown = all.slice(0, MOST_SHOWN);
  const names = useKeyNames(shown.flatMap((one) => one.key_id ?? []));
  useOpened({ call: { path, query: {} } });
  if (!run) return html`<${SidePanel} title="Run"><div class="panel-body">${read.error ? html`<${ErrorNote} error=${read.error} />` : html`<${Skeleton} rows=${4} />`}</div><//>`;
  const place = (/** @type {any} */ one) => (one.key_id ? `/cckm/aws/keys/${segment(one.key_id)}` : `/cckm/aws/custom-key-stores/${segment(one.custom_key_store_id)}`);
  return html`<${SidePanel} title=${html`Run of <bdi>${run.name}</bdi>`}><section><${Pairs} of=${[['State', html`<${State} state=${run.overall_status} />`], ['Because', run.cause], run.due_at && ['Was due', html`<${Time} at=${run.due_at} />`], ['Begun', html`<${Time} at=${run.createdAt} />`], run.completed_at && ['Ended', html`<${Time} at=${run.completed_at} />`], all.length > 0 && ['Done', html`<${RunCounts} run=${run} />`]]} />${run.error && html`<p class="break danger small">${run.error}</p>`}</section>
    <ul class="runs panel-body">${shown.map((one) => html`<li key=${one.key_id ?? one.custom_key_store_id}><div class="row"><${State} state=${isGood(one.status) ? 'success' : 'failed'} word=${html`<a class="plain" href=${place(one)}>${names[one.key_id] ? html`<${Name} text=${names[one.key_id]} />` : html`<span class="mono">${(one.key_id ?? one.custom_key_store_id).slice(0, 8)}</span>`}</a>`} />${one.rotated_to && html`<a class="end small" href=${`/cckm/aws/keys/${segment(one.rotated_to)}`}>its new key</a>`}</div>${!isGood(one.status) && html`<div class="small t2 break">${one.status}</div>`}</li>`)}</ul><${NotShown} count=${all.length - shown.length} /><//>`;
}

/** @param {{count: number}} props */
const NotShown = ({ count }) => (count > 0 ? html`<div class="panel-body small t2">${plural(count, 'further one is', 'further ones are')} not shown; all that failed come first.</div>` : '');
