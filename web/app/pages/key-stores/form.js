/** A new key store, served here. */
import { html } from '../../view.js';
import { api } from '../../api.js';
import { changed, useGet } from '../../data.js';
import { usePage } from '../../page.js';
import { go, query, setQuery } from '../../router.js';
import { segment } from '../../lib/query.js';
import { storeResource } from '../../lib/terraform.js';
import { CheckField, FormNote, SelectField, TextField, useForm, useOffered } from '../../components/form.js';
import { Segments } from '../../components/segments.js';
import { Head } from '../../components/head.js';
import { Lazy } from '../../components/lazy.js';
import { Button } from '../../components/popup.js';
import { AsCode } from '../../frame/api-menu.js';
import { showCredential } from './credentials.js';

/** Where the keys are: it leads to another form. @param {{at: string}} props */
const StoreKinds = ({ at }) => html`<${Segments} label="Where the keys are" value=${at} onChange=${(/** @type {string} */ next) => setQuery({ new: next })} options=${[['1', 'Held here'], ['cloudhsm', 'In a CloudHSM cluster']]} />`;

export function KeyStoreForm() {
  return query.value.new === 'cloudhsm' ? html`<${Lazy} load=${() => import('./cloudhsm-form.js').then((file) => file.CloudHsmForm)} kinds=${html`<${StoreKinds} at="cloudhsm" />`} />` : html`<${LocalForm} />`;
}

function LocalForm() {
  const form = useForm('key-store', { name: '', kms: '', region: '', xks_proxy_uri_endpoint: '', health_check_key_id: '', max_credentials: '8', linked_state: true });
  const { values } = form;
  const kms = useGet('/cckm/aws/kms', { limit: 200, sort: 'name' });
  const sources = useGet('/vault/keys2', { algorithm: 'AES', size: 256, unexportable: true, undeletable: true, version: -1, limit: 200 });
  const chosen = (kms.data?.resources ?? []).find((/** @type {any} */ one) => one.name === values.kms);
  const body = { name: values.name, kms: values.kms, region: values.region, linked_state: values.linked_state, aws_param: { xks_proxy_uri_endpoint: values.xks_proxy_uri_endpoint }, local_hosted_params: { health_check_key_id: values.health_check_key_id, max_credentials: Number(values.max_credentials) || 8 } };
  const call = { method: 'POST', path: '/cckm/aws/custom-key-stores', query: {}, body };
  usePage({ title: 'Add a key store', crumbs: [{ label: 'Key stores', href: '/cckm/aws/custom-key-stores' }, { label: 'Add a key store' }], call, terraform: storeResource(body) });
  useOffered(form, 'region', chosen?.regions);
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const answer = await form.submit(async () => {
      let key = values.health_check_key_id;
      if (key === 'new') {
        key = (await api.post('/vault/keys2', { name: `${values.name}-health`, algorithm: 'aes', size: 256, unexportable: true, undeletable: true })).id;
        // It cannot be deleted: if the store is refused, the next try uses it.
        form.set({ health_check_key_id: key });
        changed('/vault/keys2');
      }
      return api.post('/cckm/aws/custom-key-stores', { ...body, local_hosted_params: { ...body.local_hosted_params, health_check_key_id: key } });
    });
    if (!answer) return;
    changed('/cckm/aws/custom-key-stores');
    await showCredential(answer);
    go(`/cckm/aws/custom-key-stores/${segment(answer.id)}`);
  };
  return html`<form class="page" onSubmit=${save}><${Head} title="Add a key store" sub="Its keys stay here. AWS asks for each encryption and decryption, at the address that you give." /><div class="body"><div class="columns wide"><div class="column"><div><${StoreKinds} at="1" /></div><div class="form">
      <${TextField} form=${form} name="name" label="Name" hint="In AWS it has the same name." /><${SelectField} form=${form} name="kms" label="KMS" none="Choose a KMS" options=${(kms.data?.resources ?? []).map((/** @type {any} */ one) => [one.name, `${one.name}, ${one.account_id}`])} />
      <${SelectField} form=${form} name="region" label="Region" none="Choose a region" options=${(chosen?.regions ?? []).map((/** @type {string} */ one) => [one, one])} /><${TextField} form=${form} name="xks_proxy_uri_endpoint" label="Address" optional="that AWS calls, over HTTPS" mono placeholder="https://xks.example.org" />
      <${SelectField} form=${form} name="health_check_key_id" label="Health check key" none="Choose a source key" options=${[['new', 'make a new one'], ...(sources.data?.resources ?? []).map((/** @type {any} */ one) => [one.id, one.name])]} hint="AES 256, unexportable and undeletable." /><${TextField} form=${form} name="max_credentials" type="number" label="Credentials at most" optional="2 to 20" />
      <${CheckField} form=${form} name="linked_state" label="Make it at AWS at once" hint="AWS calls its health first. Without it the store waits here." /></div><${FormNote} form=${form} /></div><section class="card"><${AsCode} call=${call} terraform=${undefined} /></section></div></div>
    <div class="foot"><span class="grow"></span><a class="button quiet" href="/cckm/aws/custom-key-stores">Leave</a><${Button} type="submit" class="ink" busy=${form.busy}>Add the key store<//></div></form>`;
}
