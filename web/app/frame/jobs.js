/**
 * The jobs tray: long acts that can be left. It follows the jobs that this browser has begun (`follow`), and shows those of the
 * server that are running.
 */
import { html, signal, useEffect, useState } from '../view.js';
import { api } from '../api.js';
import { live } from '../live.js';
import { changed, useGet } from '../data.js';
import { JOBS, PLACES } from '../lib/places.js';
import { plural } from '../lib/text.js';
import { Icon } from '../components/icon.js';
import { Popup } from '../components/popup.js';
import { Progress } from '../components/charts.js';
import { State, Time } from '../components/bits.js';
import { showError } from '../components/over.js';

const WORDS = { enablekey: 'Enable', disablekey: 'Disable', schedulekeydeletion: 'Schedule the deletion of', cancelkeydeletion: 'Cancel the deletion of', enablerotationjob: 'Put under a schedule:', disablerotationjob: 'Take off schedules:', applypolicytemplate: 'Apply a template to' };

/** Counts up when a job was begun, so that the tray looks at once. */
const begun = signal(0);
/** Whether key stores were synchronised here: few do, so the tray asks for those jobs only then. */
const stores = signal(false);

/** Called after a job was begun. @param {boolean} [ofStores] it synchronises key stores */
export function follow(ofStores) {
  if (ofStores) stores.value = true;
  begun.value += 1;
}

/** What a job does, and how far it is. @param {keyof typeof JOBS} kind @param {any} job */
export function progressOf(kind, job) {
  const states = Object.values(job.detailed_status ?? {}).map(String);
  const total = kind === 'bulk' ? job.keys_count ?? job.keys?.length ?? states.length : states.length;
  const failed = job.keys_failed ?? states.filter((state) => !/^(region synchronized success|success|completed|in_progress|in progress|pending|not started|cancel)/i.test(state)).length;
  const done = (job.keys_done === undefined ? undefined : job.keys_done - (job.keys_failed ?? 0)) ?? states.filter((state) => /^(region synchronized success|success|completed)/i.test(state)).length;
  const title = kind === 'bulk' ? `${/** @type {any} */ (WORDS)[job.operation] ?? job.operation} ${plural(total, 'key')}` : `Synchronise ${kind === 'stores' ? 'the key stores of ' : ''}${job.synchronize_all ? 'all KMSs' : (job.kms ?? []).join(', ')}`;
  return { title, total, failed, done, running: job.overall_status === 'in_progress' };
}

export function JobsTray() {
  const [busy, setBusy] = useState(false);
  // While something runs, it is looked at each second. The stream of events tells of jobs; without it the tray looks by itself.
  const looks = { every: busy ? 1000 : live.value ? 120_000 : 5000 };
  const bulk = useGet(JOBS.bulk, { limit: 5, sort: '-createdAt' }, looks);
  const sync = useGet(JOBS.sync, { limit: 5, sort: '-createdAt' }, looks);
  const ofStores = useGet(stores.value ? JOBS.stores : null, { limit: 5, sort: '-createdAt' }, looks);
  const reads = { bulk, sync, stores: ofStores };
  const jobs = Object.entries(reads).flatMap(([kind, read]) => (read.data?.resources ?? []).map((/** @type {any} */ job) => ({ kind, job, reload: read.reload, ...progressOf(/** @type {'bulk'} */ (kind), job) }))).sort((a, b) => (a.job.createdAt < b.job.createdAt ? 1 : -1));
  const running = jobs.filter((one) => one.running);
  const first = running[0];

  useEffect(() => {
    if (begun.value > 0) {
      for (const read of Object.values(reads)) read.reload();
    }
  }, [begun.value]);
  // When it ends, what it changed is read again.
  useEffect(() => {
    if (running.length === 0) return undefined;
    setBusy(true);
    return () => {
      setBusy(false);
      changed('/cckm/aws/keys');
      if (stores.value) changed(PLACES['key-store']);
    };
  }, [running.length > 0]);

  const label = first
    ? html`<${Ring} share=${first.total ? (first.done + first.failed) / first.total : 0} />${first.total ? `${first.done + first.failed} of ${first.total}` : '1 job'}`
    : html`<${Icon} name="list-checks" /><span class="label">No jobs</span>`;
  return html`<${Popup} class=${`tool ${first ? 'busy' : ''}`} end wide label=${label} name=${first ? `${running.length} jobs run` : 'No jobs run'}>${(/** @type {() => void} */ close) => html`<div class="card-head row"><h3>Jobs</h3><a class="end" href="/jobs" onClick=${close}>All</a></div>
    ${jobs.length === 0 && html`<div class="card-body t2">No job has run yet.</div>`}
    ${jobs.slice(0, 6).map((one) => html`<${TrayJob} key=${one.job.id} one=${one} reload=${one.reload} />`)}`}<//>`;
}

/** @param {{one: any, reload: () => void}} props */
function TrayJob({ one, reload }) {
  const { job, kind, title, total, done, failed, running } = one;
  const stop = () => api.post(`${/** @type {any} */ (JOBS)[kind]}/${job.id}/cancel`).then(reload, showError);
  if (!running) return html`<div class="card-body row"><${State} state=${job.overall_status} word=${title} /><span class="end small t2 nowrap"><${Time} at=${job.updatedAt ?? job.createdAt} /></span></div>`;
  return html`<div class="card-body"><div class="row"><b class="cut">${title}</b><span class="end t2">${done + failed} of ${total}</span></div><${Progress} done=${done} failed=${failed} total=${total} label=${title} />
    <div class="row small t2"><span>${failed > 0 ? `${failed} failed` : 'Can be left'}</span><button type="button" class="link end" onClick=${stop}>Stop</button></div></div>`;
}

/** @param {{share: number}} props */
function Ring({ share }) {
  return html`<svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="2.5" aria-hidden="true"><circle cx="8" cy="8" r="6" opacity=".25" /><circle cx="8" cy="8" r="6" stroke-dasharray=${`${share * 37.7} 37.7`} transform="rotate(-90 8 8)" stroke-linecap="round" /></svg>`;
}
