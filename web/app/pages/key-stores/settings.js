/** What can be changed of a key store: its name, how AWS reaches it, its health check, what is recorded. */
import { html, useState } from '../../view.js';
import { api, versionIn, versionOf } from '../../api.js';
import { useGet } from '../../data.js';
import { lacks } from '../../rights.js';
import { Card } from '../../components/bits.js';
import { DryRunBox, DryRunButton, useDryRun } from '../../components/dry-run.js';
import { CheckField, FormNote, SelectField, TextField, useForm } from '../../components/form.js';
import { Button } from '../../components/popup.js';
import { toast } from '../../components/toast.js';

const AWS = ['xks_proxy_uri_endpoint', 'xks_proxy_connectivity', 'xks_proxy_vpc_endpoint_service_name', 'xks_proxy_vpc_endpoint_service_owner', 'cloud_hsm_cluster_id', 'key_store_password'];
const HERE = ['health_check_key_id', 'mtls_enabled'];
const VPC = 'VPC_ENDPOINT_SERVICE';

/** The values that a form begins with. @param {any} store */
const valuesOf = (store) => ({
  name: store.name, enable_success_audit_event: store.enable_success_audit_event,
  ...Object.fromEntries(AWS.map((member) => [member, store.aws_param?.[member] ?? ''])),
  ...Object.fromEntries(HERE.map((member) => [member, store.local_hosted_params?.[member]])),
});

/** What differs, in the form of the API. @param {any} old @param {any} next @returns {Record<string, any>} */
function changesOf(old, next) {
  const differs = (/** @type {string[]} */ members) => Object.fromEntries(members.filter((member) => next[member] !== old[member] && next[member] !== '').map((member) => [member, next[member]]));
  const [own, aws, here] = [differs(['name', 'enable_success_audit_event']), differs(AWS), differs(HERE)];
  return { ...own, ...(Object.keys(aws).length > 0 && { aws_param: aws }), ...(Object.keys(here).length > 0 && { local_hosted_params: here }) };
}

/** @param {{store: any, path: string, done: (answer: any) => void}} props */
export function StoreSettings({ store, path, done }) {
  const local = store.type === 'LOCAL';
  const [began, setBegan] = useState(() => ({ version: versionOf(path), values: valuesOf(store) }));
  const form = useForm(null, began.values);
  const { values } = form;
  const sources = useGet(local ? '/vault/keys2' : null, { algorithm: 'AES', size: 256, unexportable: true, undeletable: true, version: -1, limit: 200 });
  const body = changesOf(began.values, values);
  const none = Object.keys(body).length === 0;
  const dry = useDryRun(() => api.patch(path, body, { version: began.version, query: { dry_run: true } }), () => `${store.name} would be changed${store.aws_param?.custom_key_store_id && (body.name || body.aws_param) ? ', at AWS too' : ''}.`);
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    dry.clear();
    const answer = await form.submit(() => api.patch(path, body, { version: began.version }));
    if (!answer) return;
    const next = valuesOf(answer);
    setBegan({ version: began.version && versionIn(answer), values: next });
    form.set(next);
    done(answer);
    toast(html`The key store <bdi>${answer.name}</bdi> is saved.`);
  };
  const keys = sources.data?.resources ?? [];
  const offered = [...(keys.some((/** @type {any} */ one) => one.id === values.health_check_key_id) ? [] : [[values.health_check_key_id, 'the present one']]), ...keys.map((/** @type {any} */ one) => [one.id, one.name])];
  return html`<div class="body"><form onSubmit=${save}><${Card}><div class="column"><div class="form">
    <${TextField} form=${form} name="name" label="Name" hint="In AWS it has the same name." />
    ${local && html`<${TextField} form=${form} name="xks_proxy_uri_endpoint" label="Address" optional="that AWS calls, over HTTPS" mono hint="AWS calls the health there before it accepts it." />
      <${SelectField} form=${form} name="xks_proxy_connectivity" label="AWS reaches it" options=${[['PUBLIC_ENDPOINT', 'over the internet'], [VPC, 'by a VPC endpoint service']]} />
      ${values.xks_proxy_connectivity === VPC && html`<${TextField} form=${form} name="xks_proxy_vpc_endpoint_service_name" label="VPC endpoint service" mono placeholder="com.amazonaws.vpce.eu-central-1.vpce-svc-…" /><${TextField} form=${form} name="xks_proxy_vpc_endpoint_service_owner" label="Its owner" optional="an account; empty: that of the KMS" mono />`}
      <${SelectField} form=${form} name="health_check_key_id" label="Health check key" options=${offered} hint="AES 256, unexportable and undeletable." />
      <${CheckField} form=${form} name="mtls_enabled" label="AWS also authenticates with a certificate" hint="Mutual TLS." />
      <${CheckField} form=${form} name="enable_success_audit_event" label="Record calls that were served" hint="Refused ones are recorded always." />`}
    ${store.type === 'CloudHSM' && html`<${TextField} form=${form} name="cloud_hsm_cluster_id" label="Cluster" mono hint="One that was made from a backup of the present one." /><${TextField} form=${form} name="key_store_password" type="password" label="Password of kmsuser" optional="empty: stays" autocomplete="new-password" hint="AWS is told of it; it is not stored here." />`}
    </div><${DryRunBox} dry=${dry} /><${FormNote} form=${form} /><div class="row"><span data-save><${Button} type="submit" class="ink" busy=${form.busy} missing=${lacks(store, 'keystoreupdate')} disabled=${none}>Save the key store<//></span><${DryRunButton} dry=${dry} disabled=${none} /></div></div><//></form></div>`;
}
