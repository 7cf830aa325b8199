/** The panel of a schedule: its times in words, the next five, what it covers, its last runs. */
import { html } from '../../view.js';
import { api, versionIn } from '../../api.js';
import { changed, useGet } from '../../data.js';
import { useOpened } from '../../page.js';
import { setQuery } from '../../router.js';
import { queryString, segment } from '../../lib/query.js';
import { number, plural } from '../../lib/text.js';
import { scheduleResource } from '../../lib/terraform.js';
import { day, parse, span } from '../../lib/time.js';
import { lacksRight } from '../../rights.js';
import { Chip, ErrorNote, Skeleton, State, Time, now } from '../../components/bits.js';
import { ask } from '../../components/dialog.js';
import { act } from '../../components/over.js';
import { SidePanel } from '../../components/head.js';
import { Lately } from '../../components/history.js';
import { Button, Menu } from '../../components/popup.js';
import { Icon } from '../../components/icon.js';
import { OPERATIONS, runNow, runWords } from './schedules.js';

/** @param {{id: string}} props */
export function SchedulePanel({ id }) {
  const path = `/scheduler/job-configs/${segment(id)}`;
  const read = useGet(path);
  const runs = useGet('/scheduler/jobs', { job_config_id: id, limit: 6, sort: '-createdAt' });
  const one = read.data;
  useOpened({ call: { path, query: {} }, terraform: one && scheduleResource(one) });
  const missing = lacksRight('schedules');
  if (!one) return html`<${SidePanel} title="Schedule"><div class="panel-body">${read.error ? html`<${ErrorNote} error=${read.error} again=${read.reload} />` : html`<${Skeleton} rows=${5} />`}</div><//>`;
  const run = () => ask({ title: `Run ${one.name} now?`, act: 'Run it', tone: 'ink', keep: 'Wait for its time', text: one.operation === 'cckm_key_rotation' ? `It rotates what is due of its ${number(one.keys_count ?? 0)} keys.` : 'It runs once, besides its times.', run: () => runNow(id) }).then((answer) => answer && runs.reload());
  const off = (/** @type {boolean} */ disabled) => {
    let version = versionIn(one);
    const set = async (/** @type {boolean} */ to) => {
      version = versionIn(await api.patch(path, { disabled: to }, { version }));
      changed('/scheduler/job-configs');
    };
    return act(() => set(disabled), `${one.name} is ${disabled ? 'off' : 'on'}.`, () => set(!disabled));
  };
  const drop = () => ask({ title: `Delete the schedule ${one.name}?`, level: 3, name: one.name, act: 'Delete it', keep: 'Keep it', text: one.keys_count > 0 ? `Its ${number(one.keys_count)} keys are rotated by nothing then.` : 'Its past runs stay in the log.', run: (_, api) => api.delete(path, { query: one.keys_count > 0 ? { force: true } : {} }), dry: true }).then((answer) => {
    if (!answer) return;
    setQuery({ open: null });
    changed('/scheduler/job-configs');
  });
  const fields = String(one.run_at).trim().split(/\s+/);
  const next = (one.next_runs ?? [one.next_run_at]).map(parse).filter((/** @type {number | null} */ at) => at !== null);
  return html`<${SidePanel} title=${html`<bdi>${one.name}</bdi>`} beside=${html`<${Chip}>${OPERATIONS[one.operation] ?? one.operation}<//>`} actions=${html`<${Button} class="small" icon="play" missing=${missing} onClick=${run}>Run now…<//><${Menu} class="button small square" name="More acts" label=${html`<${Icon} name="ellipsis" />`} items=${[
      { label: 'Edit', icon: 'pencil', href: `/scheduler/job-configs?new=1&edit=${encodeURIComponent(id)}`, missing }, { label: one.disabled ? 'Switch on' : 'Switch off', icon: 'power', act: () => off(!one.disabled), missing }, 'line', { label: 'Delete…', icon: 'trash-2', danger: true, act: drop, missing }]} />`}>
    <section class="column"><div class="cron">${fields.map((field, i) => html`<div><code>${field}</code><span class="least t2">${['minute', 'hour', 'day', 'month', 'weekday'][i]}</span></div>`)}</div>${one.run_at_words && html`<p>${one.run_at_words.replace(/^./, (/** @type {string} */ letter) => letter.toUpperCase())}, UTC.</p>`}${one.disabled && html`<p class="warn">It is off: it runs only when asked.</p>`}${one.end_date && html`<p class="small t2">Until <${Time} at=${one.end_date} /></p>`}</section>
    ${next.length > 0 && html`<section><h3>Next ${next.length === 1 ? 'run' : next.length}</h3><ol class="next-runs">${next.slice(0, 5).map((/** @type {number} */ at) => html`<li><b>${day(at, now.value)}</b><span class="least t2">in ${span(at - now.value)}</span></li>`)}</ol></section>`}
    ${one.operation === 'cckm_key_rotation' && html`<section class="row"><h3>Covers ${plural(one.keys_count ?? 0, 'key')}</h3><a class="end small" href=${`/cckm/aws/keys${queryString({ job_config_id: id })}`}>Open as a list</a></section>`}
    <section><div class="row"><h3>Last runs</h3>${runs.data?.total > 0 && html`<a class="end small" href=${`/jobs${queryString({ tab: 'runs', job_config_id: id })}`}>All ${number(runs.data.total)}</a>`}</div><ul class="runs">${(runs.data?.resources ?? []).map((/** @type {any} */ one) => html`<li class="row" key=${one.id}><${State} state=${one.overall_status} word=${html`<a class="plain" href=${`/jobs${queryString({ tab: 'runs', job_config_id: id, open: one.id })}`}><${Time} at=${one.createdAt} /></a>`} /><span class="t2 cut">${runWords(one)}</span><span class="end small t2">${one.cause}</span></li>`)}${runs.data?.total === 0 && html`<li class="t3">none yet</li>`}</ul></section>
    <${Lately} path=${path} resource=${`schedule/${id}`} /><//>`;
}
