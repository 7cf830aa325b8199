/** A new schedule, or a changed one: cron in words with the next five runs, worked out by the server as one types. */
import { html, useEffect, useState } from '../../view.js';
import { api, versionOf } from '../../api.js';
import { changed, shared, useGet } from '../../data.js';
import { usePage } from '../../page.js';
import { go, query } from '../../router.js';
import { segment } from '../../lib/query.js';
import { scheduleResource } from '../../lib/terraform.js';
import { parse, relative } from '../../lib/time.js';
import { ErrorNote, Skeleton, now } from '../../components/bits.js';
import { AreaField, CheckField, FormNote, SelectField, TextField, useForm } from '../../components/form.js';
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

/** The body of the call. @param {any} values @param {boolean} editing */
function bodyOf(values, editing) {
  const params = {
    cckm_key_rotation: { cckm_key_rotation_params: { cloud_name: 'aws', ...(values.rotation_after && { rotation_after: values.rotation_after }), ...(values.expire_in && { expire_in: values.expire_in }), ...(values.expiration && { expiration: values.expiration }), aws_param: { rotate_material: values.rotate_material, retain_alias: values.retain_alias } } },
    cckm_synchronization: { cckm_synchronization_params: { cloud_name: 'aws', ...(values.kms === '' ? { synchronize_all: true } : { kms: [values.kms] }) } },
    cckm_xks_credential_rotation: { cckm_xks_credential_rotation_params: { cloud_name: 'aws' } },
    cckm_drift_watch: { cckm_drift_watch_params: { kms: values.kms, log_group: values.log_group, ...(values.log_group_region && { log_group_region: values.log_group_region }) } },
    database_backup: { database_backup_params: { description: values.description } },
  };
  return { ...(editing ? {} : { name: values.name, operation: values.operation }), description: values.description, run_at: values.run_at, disabled: values.disabled, .../** @type {any} */ (params)[values.operation] };
}

/** @param {{present: any}} props */
function Form({ present }) {
  const rotation = present?.cckm_key_rotation_params ?? {};
  const drift = present?.cckm_drift_watch_params ?? {};
  const form = useForm(present ? null : 'schedule', {
    name: present?.name ?? '', operation: present?.operation ?? 'cckm_key_rotation', description: present?.description ?? '', run_at: present?.run_at ?? '0 3 2 */3 *', disabled: present?.disabled ?? false,
    rotation_after: rotation.rotation_after ?? '', expire_in: rotation.expire_in ?? '', expiration: rotation.expiration ?? '', rotate_material: rotation.aws_param?.rotate_material ?? true, retain_alias: rotation.aws_param?.retain_alias ?? false,
    kms: drift.kms ?? present?.cckm_synchronization_params?.kms?.[0] ?? '', log_group: drift.log_group ?? '', log_group_region: drift.log_group_region ?? '',
  });
  const { values } = form;
  const [began] = useState(() => (present ? versionOf(`/scheduler/job-configs/${segment(present.id)}`) : undefined));
  const [kms, setKms] = useState(/** @type {any[]} */ ([]));
  const title = present ? `Edit ${present.name}` : 'New schedule';
  const body = bodyOf(values, Boolean(present));
  const call = { method: present ? 'PATCH' : 'POST', path: present ? `/scheduler/job-configs/${present.id}` : '/scheduler/job-configs', query: {}, body };
  usePage({ title, crumbs: [{ label: 'Schedules', href: '/scheduler/job-configs' }, { label: title }], call, terraform: scheduleResource({ ...present, ...body }) });
  useEffect(() => {
    shared('/cckm/aws/kms', { limit: 200, sort: 'name' }).then((answer) => setKms(answer.resources), () => undefined);
  }, []);
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const answer = await form.submit(() => (present ? api.patch(call.path, body, { version: began }) : api.post(call.path, body)));
    if (!answer) return;
    changed('/scheduler/job-configs');
    toast(`${values.name} is ${present ? 'changed' : 'made'}.`);
    go(`/scheduler/job-configs?open=${encodeURIComponent(answer.id ?? present.id)}`);
  };
  const kmsOptions = kms.map((one) => [one.name, one.name]);
  return html`<form class="page" onSubmit=${save}><${Head} title=${title} sub="Times are UTC." />
    <div class="body"><div class="columns wide"><div class="column"><div class="form">
      <${TextField} form=${form} name="name" label="Name" disabled=${Boolean(present)} />
      <${SelectField} form=${form} name="operation" label="Does" disabled=${Boolean(present)} options=${Object.entries(OPERATIONS)} />
      <${TextField} form=${form} name="run_at" label="When" optional="cron: minute hour day month weekday" mono hint=${html`${EXAMPLES.map(([cron, words]) => html`<button type="button" class="link" onClick=${() => form.set({ run_at: cron })}>${words}</button> `)}`} />
      <div class="field"><span class="legend">In words</span><${Preview} runAt=${values.run_at} /></div>
      ${values.operation === 'cckm_key_rotation' && html`<${CheckField} form=${form} name="rotate_material" label="New material in the same key" hint="Otherwise a new key takes the place of the old one." /><${CheckField} form=${form} name="retain_alias" label="The old key keeps an alias" />
        <${TextField} form=${form} name="rotation_after" label="Only keys whose material is older than" optional="such as 80d" /><${TextField} form=${form} name="expire_in" label="Only keys whose material expires within" optional="such as 30d" /><${TextField} form=${form} name="expiration" label="New material lasts" optional="such as 120d" hint="Of material that is made here." />`}
      ${values.operation === 'cckm_synchronization' && html`<${SelectField} form=${form} name="kms" label="KMS" none="All KMSs" options=${kmsOptions} />`}
      ${values.operation === 'cckm_drift_watch' && html`<${SelectField} form=${form} name="kms" label="KMS" none="Choose a KMS" options=${kmsOptions} /><${TextField} form=${form} name="log_group" label="Log group of CloudTrail" mono /><${TextField} form=${form} name="log_group_region" label="Its region" optional="if one trail of all regions delivers there" mono />`}
      <${AreaField} form=${form} name="description" label="Description" optional rows=${2} full /><${CheckField} form=${form} name="disabled" label="Off for now" /></div><${FormNote} form=${form} /></div>
      <section class="card"><${AsCode} call=${call} terraform=${undefined} /></section></div></div>
    <div class="foot"><span class="grow"></span><a class="button quiet" href="/scheduler/job-configs">Leave</a><${Button} type="submit" class="ink" busy=${form.busy}>${present ? 'Save the schedule' : 'Make the schedule'}<//></div></form>`;
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
