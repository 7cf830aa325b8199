/** The acts on one KMS: synchronise, regions, connection, role; archive, recover, delete. */
import { html } from '../../view.js';
import { api, versionIn } from '../../api.js';
import { changed as changedPath, shared } from '../../data.js';
import { lacks, lacksRight } from '../../rights.js';
import { go } from '../../router.js';
import { ask } from '../../components/dialog.js';
import { act, showError } from '../../components/over.js';
import { Button, Menu } from '../../components/popup.js';
import { Icon } from '../../components/icon.js';
import { toast } from '../../components/toast.js';
import { follow } from '../../frame/jobs.js';

/** @param {{row: any, path: string, changed: (answer: any) => void}} props */
export function KmsActions({ row: kms, path, changed }) {
  const missing = lacksRight('KMS');
  const archived = String(kms.status).toLowerCase() === 'archived';
  const done = (/** @type {any} */ answer) => {
    if (answer) {
      changed(answer);
      changedPath('/cckm/aws/kms');
    }
  };
  const synchronise = async () => {
    try {
      await api.post('/cckm/aws/synchronization-jobs', { kms: [kms.name], regions: kms.regions });
      follow();
      toast(html`Synchronising ${kms.name}. It can be left.`);
    } catch (error) {
      await showError(error);
    }
  };
  const regions = async () => {
    let found = /** @type {string[]} */ (kms.regions);
    try {
      found = (await api.post('/cckm/aws/accounts', { connection: kms.connection, assume_role_arn: kms.assume_role_arn, assume_role_external_id: kms.assume_role_external_id })).regions;
    } catch (error) {
      await showError(error);
      return;
    }
    const all = [...new Set([...kms.regions, ...found])].sort();
    ask({
      title: `Regions of ${kms.name}`, act: 'Save the regions', tone: 'ink', keep: 'Leave them', values: { regions: kms.regions },
      text: 'The entries of keys in a region that is taken away stay, as gone, until the region is back. In AWS nothing changes.',
      fields: (values, set) => html`<fieldset class="checks">${all.map((region) => html`<label class="check" key=${region}><input type="checkbox" class="box" checked=${values.regions.includes(region)} onChange=${() => set({ regions: values.regions.includes(region) ? values.regions.filter((/** @type {string} */ one) => one !== region) : [...values.regions, region] })} /><span>${region}</span></label>`)}</fieldset>`,
      run: (values, api) => api.patch(path, { regions: values.regions }, { version: versionIn(kms) }),
      dry: (values) => api.patch(path, { regions: values.regions }, { query: { dry_run: true } }),
      says: (answer) => html`It would have ${answer?.regions?.length} regions: ${answer?.regions?.join(', ')}. Nothing was changed.`,
    }).then(done);
  };
  const connection = async () => {
    const all = (await shared('/connectionmgmt/services/aws/connections', { limit: 200, sort: 'name' })).resources;
    ask({
      title: `Another connection for ${kms.name}`, act: 'Use this connection', tone: 'ink', keep: 'Keep the present one', values: { connection: kms.connection },
      text: 'It must lead to the same account. Claviger asks AWS before it changes anything.',
      fields: (values, set) => html`<div class="field grow"><label for="kms-connection">Connection</label><select id="kms-connection" name="connection" class="select" onChange=${(/** @type {any} */ event) => set({ connection: event.target.value })}>${all.map((/** @type {any} */ one) => html`<option value=${one.name} selected=${one.name === values.connection}>${one.name}</option>`)}</select></div>`,
      run: (values, api) => api.patch(path, { connection: values.connection }, { version: versionIn(kms) }),
      dry: (values) => api.patch(path, { connection: values.connection }, { query: { dry_run: true } }),
      says: (answer) => html`It would act as <span class="mono">${answer?.arn}</span>. Nothing was changed.`,
    }).then(done);
  };
  const role = () => ask({
    title: `The role of ${kms.name}`, act: 'Use this role', tone: 'ink', keep: 'Keep the present one', values: { arn: kms.assume_role_arn ?? '', external: kms.assume_role_external_id ?? '' },
    text: 'The role that the connection assumes. It must be of the same account.',
    fields: (values, set) => html`<div class="column grow"><div class="field"><label for="kms-role">Role ARN</label><input id="kms-role" name="assume_role_arn" class="input mono" value=${values.arn} placeholder="arn:aws:iam::123456789012:role/claviger" onInput=${(/** @type {any} */ event) => set({ ...values, arn: event.target.value })} /></div>
      <div class="field"><label for="kms-external">External id <span class="optional">optional</span></label><input id="kms-external" name="assume_role_external_id" class="input" value=${values.external} onInput=${(/** @type {any} */ event) => set({ ...values, external: event.target.value })} /></div></div>`,
    run: (values, api) => api.patch(path, { assume_role_arn: values.arn, assume_role_external_id: values.external }, { version: versionIn(kms) }),
    dry: (values) => api.patch(path, { assume_role_arn: values.arn, assume_role_external_id: values.external }, { query: { dry_run: true } }),
    says: (answer) => html`It would act as <span class="mono">${answer?.arn}</span>. Nothing was changed.`,
  }).then(done);
  const recover = () => act(() => api.post(`${path}/recover`).then((answer) => (done(answer), answer)), `${kms.name} is recovered.`);
  const archive = () => act(() => api.post(`${path}/archive`).then((answer) => (done(answer), answer)), `${kms.name} is archived.`, () => api.post(`${path}/recover`).then((answer) => (done(answer), answer)));
  const remove = () => ask({
    title: `Delete the KMS ${kms.name}?`, level: 3, name: kms.name, act: 'Delete the KMS', keep: 'Keep the KMS',
    text: 'The entries of its keys go with it; nothing rotates or watches them any more. The keys stay in AWS, the history stays in the audit log.',
    warn: archived ? undefined : 'Archive it instead if you may want it back: then it can only be viewed and recovered.',
    run: (_, api) => api.delete(path), dry: () => api.delete(path, { query: { dry_run: true } }), says: () => 'It would be deleted. Nothing was changed.',
  }).then((answer) => {
    if (!answer) return;
    changedPath('/cckm/aws/kms');
    toast(html`The KMS ${kms.name} is deleted.`);
    go('/cckm/aws/kms');
  });
  const items = [
    { label: 'Another connection…', icon: 'plug', act: connection, missing },
    { label: 'Role…', icon: 'user', act: role, missing },
    /** @type {const} */ ('line'),
    archived ? { label: 'Recover', icon: 'archive-restore', act: recover, missing } : { label: 'Archive', icon: 'archive', act: archive, missing },
    { label: 'Delete…', icon: 'trash-2', danger: true, act: remove, missing },
  ];
  if (archived) return html`<${Button} icon="archive-restore" missing=${missing} onClick=${recover}>Recover<//><${Menu} class="button square" name="More acts" label=${html`<${Icon} name="ellipsis" />`} items=${items.slice(3)} />`;
  return html`<${Button} icon="refresh-cw" missing=${lacks({ kms: kms.name, kms_id: kms.id }, 'keysynchronize')} onClick=${synchronise}>Synchronise<//>
    <${Button} missing=${missing} onClick=${regions}>Edit regions…<//><${Menu} class="button square" name="More acts" label=${html`<${Icon} name="ellipsis" />`} items=${items} />`;
}
