/** A new schedule, or a changed one: cron in words with the next five runs, worked out by the server as one types. */
import { html, useEffect, useState } from '../../view.js';
import { api, versionOf } from '../../api.js';
import { changed, shared, useGet } from '../../data.js';
import { usePage } from '../../page.js';
import { go, query } from '../../router.js';
import { segment } from '../../lib/query.js';
import { scheduleBody, scheduleValues, wholeSchedule } from '../../lib/schedule.js';
import { scheduleResource } from '../../lib/terraform.js';
import { parse, relative } from '../../lib/time.js';
import { ErrorNote, Skeleton, now } from '../../components/bits.js';
import { AreaField, CheckField, Field, FormNote, SelectField, TextField, useForm } from '../../components/form.js';
import { Segments } from '../../components/segments.js';
import { Head } from '../../components/head.js';
import { Button } from '../../components/popup.js';
import { toast } from '../../components/toast.js';
import { AsCode } from '../../frame/api-menu.js';
import { OPERATIONS } from './schedules.js';

const EXAMPLES = [['15 2 * * *', 'every day, 02:15'], ['0 3 2 */3 *', 'on the 2nd of each third month'], ['0 9 * * sat', 'Saturdays'], ['*/5 * * * *', 'every five minutes']];

export function ScheduleForm() {
  const edit = query.value.edit;
  const read = useGet(edit ? `/scheduler/job-configs/${segment(edit)}` : null);
  if (edit && !read.data) return html`<div class="body">${read.error ? html`<${ErrorNote} error=${read.error} />` : html`<${Skeleton} rows=${6} />`}</div>`;
  return html`<${Form} present=${read.data} />`;
}

/** @param {{present: any}} props */
function Form({ present }) {
  const form = useForm(present ? null : 'new-schedule', scheduleValues(present));
  const { values } = form;
  const [began] = useState(() => (present ? versionOf(`/scheduler/job-configs/${segment(present.id)}`) : undefined));
  const [kms, setKms] = useState(/** @type {any[]} */ ([]));
  const title = present ? `Edit ${present.name}` : 'New schedule';
  const body = scheduleBody(values, present);
  const call = { method: present ? 'PATCH' : 'POST', path: present ? `/scheduler/job-configs/${present.id}` : '/scheduler/job-configs', query: {}, body };
  usePage({ title, crumbs: [{ label: 'Schedules', href: '/scheduler/job-configs' }, { label: title }], call, terraform: scheduleResource({ ...present, ...wholeSchedule(values) }) });
  useEffect(() => {
    shared('/cckm/aws/kms', { limit: 200, sort: 'name' }).then((answer) => setKms(answer.resources), () => undefined);
  }, []);
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (body.cckm_synchronization_params?.kms?.length === 0) return form.refuse({ kms: 'Choose at least one KMS.' });
    const answer = await form.submit(() => (present ? api.patch(call.path, body, { version: began }) : api.post(call.path, body)));
    if (!answer) return undefined;
    changed('/scheduler/job-configs');
    toast(`${values.name} is ${present ? 'changed' : 'made'}.`);
    return go(`/scheduler/job-configs?open=${encodeURIComponent(answer.id ?? present.id)}`);
  };
  const isOf = (/** @type {string} */ operation) => values.operation === operation;
  return html`<form class="page" onSubmit=${save}><${Head} title=${title} sub="Times are UTC." />
    <div class="body"><div class="columns wide"><div class="column"><div class="form">
      <${TextField} form=${form} name="name" label="Name" disabled=${Boolean(present)} />
      <${SelectField} form=${form} name="operation" label="Does" disabled=${Boolean(present)} options=${Object.entries(OPERATIONS)} />
      <${TextField} form=${form} name="run_at" label="When" optional="cron: minute hour day month weekday" mono hint=${html`${EXAMPLES.map(([cron, words]) => html`<button type="button" class="link" onClick=${() => form.set({ run_at: cron })}>${words}</button> `)}`} />
      <div class="field"><span class="legend">In words</span><${Preview} runAt=${values.run_at} /></div>
      <${TextField} form=${form} name="start_date" type="datetime-local" label="Start" optional="no run before it, UTC" /><${TextField} form=${form} name="end_date" type="datetime-local" label="End" optional="no run after it, UTC" />
      ${isOf('cckm_key_rotation') && html`<${CheckField} form=${form} name="rotate_material" label="New material in the same key" hint="Otherwise a new key takes the place of the old one." /><${CheckField} form=${form} name="retain_alias" label="The old key keeps an alias" />
        <${TextField} form=${form} name="rotation_after" label="Only keys whose material is older than" optional="such as 80d" /><${TextField} form=${form} name="expire_in" label="Only keys whose material expires within" optional="such as 30d" /><${TextField} form=${form} name="expiration" label="New material lasts" optional="such as 120d" hint="Of material that is made here." />`}
      ${isOf('cckm_synchronization') && html`<${KmsChoice} form=${form} all=${kms} />`}
      ${isOf('cckm_drift_watch') && html`<${OneKms} form=${form} all=${kms} /><${TextField} form=${form} name="log_group" label="Log group of CloudTrail" mono /><${TextField} form=${form} name="log_group_region" label="Its region" optional="if one trail of all regions delivers there" mono />
        <${TextField} form=${form} name="overlap_minutes" type="number" label="Minutes to read again" hint="How long before the end of the last run a run begins to read, 1 to 1440." />`}
      ${isOf('database_backup') && html`<${TextField} form=${form} name="backup_description" label="Description of each backup" optional /><${TextField} form=${form} name="retentionCount" type="number" label="Backups of this schedule to keep" hint="0: as many as the setting backup.keep says." />`}
      <${AreaField} form=${form} name="description" label="Description" optional rows=${2} full /><${CheckField} form=${form} name="disabled" label="Off for now" /></div><${FormNote} form=${form} /></div>
      <section class="card"><${AsCode} call=${call} terraform=${undefined} /></section></div></div>
    <div class="foot"><span class="grow"></span><a class="button quiet" href="/scheduler/job-configs">Leave</a><${Button} type="submit" class="ink" busy=${form.busy}>${present ? 'Save the schedule' : 'Make the schedule'}<//></div></form>`;
}

/** The KMSs by id and name; one that is chosen and not among those that were read is shown by its id. @param {any[]} all @param {string[]} chosen @returns {Array<[string, string]>} */
const kmsOptions = (all, chosen) => [...all.map((one) => /** @type {[string, string]} */ ([one.id, one.name])), ...chosen.filter((id) => !all.some((one) => one.id === id)).map((id) => /** @type {[string, string]} */ ([id, id]))];

/** All KMSs, or those that are chosen. @param {{form: import('../../components/form.js').Form, all: any[]}} props */
function KmsChoice({ form, all }) {
  const { synchronize_all: everywhere, kms: chosen } = form.values;
  form.fields.add('kms');
  const toggle = (/** @type {string} */ id) => form.set({ kms: chosen.includes(id) ? chosen.filter((/** @type {string} */ one) => one !== id) : [...chosen, id] });
  return html`<fieldset class="field full"><legend class="legend">KMSs</legend><${Segments} label="KMSs" value=${everywhere ? 'all' : 'some'} onChange=${(/** @type {string} */ which) => form.set({ synchronize_all: which === 'all', kms: chosen })} options=${[['all', 'All KMSs'], ['some', 'These']]} />
    ${!everywhere && html`<div class="checks">${kmsOptions(all, chosen).map(([id, name]) => html`<label class="check" key=${id}><input type="checkbox" class="box" checked=${chosen.includes(id)} onChange=${() => toggle(id)} /><bdi class="cut">${name}</bdi></label>`)}</div>`}
    ${form.errors.kms && html`<div class="error" role="alert">${form.errors.kms.message ?? form.errors.kms}</div>`}</fieldset>`;
}

/** The KMS of a watch. @param {{form: import('../../components/form.js').Form, all: any[]}} props */
function OneKms({ form, all }) {
  const [chosen = ''] = form.values.kms;
  return html`<${Field} form=${form} name="kms" label="KMS">${(/** @type {any} */ control) => html`<select id=${control.id} class=${`select ${control.bad ? 'bad' : ''}`} value=${chosen} aria-invalid=${control.bad} aria-describedby=${control.describedby} onChange=${(/** @type {any} */ event) => form.set({ kms: event.target.value === '' ? [] : [event.target.value] })}>
    <option value="">Choose a KMS</option>${kmsOptions(all, form.values.kms.slice(0, 1)).map(([id, name]) => html`<option value=${id} selected=${id === chosen}>${name}</option>`)}</select>`}<//>`;
}

/** The words and the next five runs of a cron expression, from the server. @param {{runAt: string}} props */
function Preview({ runAt }) {
  const [said, setSaid] = useState(/** @type {any} */ (null));
  useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      try {
        setSaid(await api.post('/scheduler/job-configs/preview', { run_at: runAt }, { signal: abort.signal }));
      } catch (/** @type {any} */ error) {
        if (!abort.signal.aborted) setSaid({ error });
      }
    }, 250);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [runAt]);
  if (!said) return html`<span class="t3">…</span>`;
  if (said.error) return html`<span class="danger small" role="status">${said.error.message}</span>`;
  return html`<div role="status"><p class="strong">${said.run_at_words}</p><p class="small t2">${(said.next_runs ?? []).map((/** @type {string} */ at) => relative(parse(at) ?? 0, now.value)).join(' · ')}</p></div>`;
}
