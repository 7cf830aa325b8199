/** The credentials of a key store with their age. */
import { html } from '../../view.js';
import { api, saveFile } from '../../api.js';
import { shared, useGet } from '../../data.js';
import { segment } from '../../lib/query.js';
import { lacks } from '../../rights.js';
import { DAY, parse } from '../../lib/time.js';
import { AgeBar } from '../../components/charts.js';
import { Card, Chip, ErrorNote, IdLine, Pairs, Time, now } from '../../components/bits.js';
import { ask } from '../../components/dialog.js';
import { act } from '../../components/over.js';
import { Icon } from '../../components/icon.js';
import { Button } from '../../components/popup.js';
import { showSecret } from '../../components/secret.js';

/** Shows the secret of a new credential; the file is what AWS's console asks for. @param {any} answer */
export function showCredential(answer) {
  if (!answer?.secret_access_key) return Promise.resolve(null);
  const file = JSON.stringify({ XksProxyAuthenticationCredential: { AccessKeyId: answer.access_key_id, RawSecretAccessKey: answer.secret_access_key } }, null, 2);
  return showSecret({
    text: 'AWS has it already if the store is known to it. It is needed to make the store by hand in AWS’s console.',
    children: html`<${Pairs} of=${[['Access key id', html`<${IdLine} text=${answer.access_key_id} what="the access key id" />`], ['Secret', html`<${IdLine} text=${answer.secret_access_key} what="the secret" />`]]} />`,
    beside: html`<button type="button" class="button" onClick=${() => saveFile(new Blob([file], { type: 'application/json' }), 'xks-credential.json')}>The file for AWS’s console</button>`,
  });
}

/** @param {{store: any, path: string, done: (answer: any) => void, short?: boolean}} props */
export function Credentials({ store, path, done, short }) {
  const read = useGet(`${path}/credentials`, { limit: 20 });
  const rows = read.data?.resources ?? [];
  const missing = lacks(store, 'keystoreupdate');
  const by = store.labels?.job_config_id;
  const rotates = useGet(by ? `/scheduler/job-configs/${segment(by)}` : null);
  const again = (/** @type {any} */ answer) => {
    if (!answer) return;
    read.reload();
    done(answer);
  };
  const rotate = () => ask({ title: `Make a new credential for ${store.name}?`, act: 'Make a new one', tone: 'ink', keep: 'Leave it', text: 'AWS is told of it. The earlier ones are accepted until they are deleted.', run: (_, api) => api.post(`${path}/rotate-credential`) }).then(async (answer) => {
    if (answer) await showCredential(answer);
    again(answer);
  });
  const drop = (/** @type {any} */ one) => ask({ title: 'Delete this credential?', act: 'Delete it', keep: 'Keep it', text: html`Calls that are signed with <code>${one.access_key_id}</code> are refused from then on. ${one.last_used_at && html`It was used <${Time} at=${one.last_used_at} />.`}`, run: (_, api) => api.delete(`${path}/credentials/${segment(one.id)}`), dry: true }).then(again);
  const schedule = async () => {
    const list = (await shared('/scheduler/job-configs', { operation: 'cckm_xks_credential_rotation', limit: 100 })).resources;
    ask({ title: `Rotate the credentials of ${store.name} by a schedule?`, act: 'Put it under the schedule', tone: 'ink', keep: 'Leave it', values: { id: list[0]?.id ?? '' }, text: list.length === 0 ? html`There is no schedule for credentials. <a href="/scheduler/job-configs?new=1">Make one</a>` : '',
      fields: (values, set) => list.length > 0 && html`<div class="field grow"><label for="store-schedule">Schedule</label><select id="store-schedule" name="job_config_id" class="select" onChange=${(/** @type {any} */ event) => set({ id: event.target.value })}>${list.map((/** @type {any} */ one) => html`<option value=${one.id} selected=${one.id === values.id}>${one.name}, ${one.run_at}</option>`)}</select></div>`,
      run: (values, api) => api.post(`${path}/enable-credential-rotation-job`, { job_config_id: values.id }) }).then(again);
  };
  const off = () => act(() => api.post(`${path}/disable-credential-rotation-job`).then((answer) => (again(answer), answer)), `No schedule rotates the credentials of ${store.name}.`, () => api.post(`${path}/enable-credential-rotation-job`, { job_config_id: by }).then(again));
  return html`<${Card} title="Credentials" sub=${`${store.credential_count ?? rows.length} of ${store.local_hosted_params?.max_credentials ?? ''}`} acts=${html`${!short && (by ? html`<${Button} class="small quiet" missing=${missing} onClick=${off}>Take off the schedule<//>` : html`<${Button} class="small quiet" missing=${missing} onClick=${schedule}>By a schedule…<//>`)}<${Button} class="small" missing=${missing} onClick=${rotate}>Rotate…<//>`} flush><${ErrorNote} error=${read.error} again=${read.reload} />
    <ul class="credentials">${rows.map((/** @type {any} */ one) => {
      const since = parse(one.createdAt);
      return html`<li key=${one.id}><div class="row"><${IdLine} text=${one.access_key_id} what="the access key id" /><span class="end">${one.current ? html`<${Chip} tone="ok">current<//>` : html`<${Button} class="small quiet" missing=${missing} onClick=${() => drop(one)}>Delete<//>`}</span></div>
        <div class="row small"><${AgeBar} age=${since === null ? null : { days: (now.value - since) / DAY, period: 90 }} /><span class="t2">${one.last_used_at ? html`used <${Time} at=${one.last_used_at} />` : 'not used yet'}${one.current ? ', AWS has this one' : ''}</span></div></li>`;
    })}</ul>${by && html`<div class="card-foot row"><${Icon} name="calendar-clock" size="small" /><span>Rotated by <a href=${`/scheduler/job-configs?open=${encodeURIComponent(by)}`}><bdi>${rotates.data?.name ?? 'a schedule'}</bdi></a>${rotates.data && (rotates.data.disabled ? ', which is off' : rotates.data.next_run_at && html`, next <${Time} at=${rotates.data.next_run_at} />`)}</span></div>`}<//>`;
}
