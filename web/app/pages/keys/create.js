/** A new key: made by AWS, uploaded from here, or held here (HYOK). A page with steps; every step can be left. */
import { html, useEffect, useState } from '../../view.js';
import { api } from '../../api.js';
import { changed, useGet } from '../../data.js';
import { usePage } from '../../page.js';
import { go, place, query, setQuery } from '../../router.js';
import { segment } from '../../lib/query.js';
import { keyResource } from '../../lib/terraform.js';
import { lacks } from '../../rights.js';
import { Card, Empty, Note } from '../../components/bits.js';
import { AreaField, CheckField, FormNote, SelectField, TextField, useForm, useOffered } from '../../components/form.js';
import { Segments } from '../../components/segments.js';
import { Wizard } from '../../components/steps.js';
import { toast } from '../../components/toast.js';
import { AsCode } from '../../frame/api-menu.js';
import { PolicyStep } from './create-policy.js';
import { Expiry, SourcePicker } from './create-material.js';
import { WillHappen } from './will-happen.js';
import { bodyOf, callOf, KINDS, START } from './create-body.js';

/** @type {Record<string, string[]>} */
const SPECS = {
  ENCRYPT_DECRYPT: ['SYMMETRIC_DEFAULT', 'RSA_2048', 'RSA_3072', 'RSA_4096', 'SM2'],
  SIGN_VERIFY: ['RSA_2048', 'RSA_3072', 'RSA_4096', 'ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521', 'ECC_SECG_P256K1', 'ML_DSA_44', 'ML_DSA_65', 'ML_DSA_87', 'SM2'],
  GENERATE_VERIFY_MAC: ['HMAC_224', 'HMAC_256', 'HMAC_384', 'HMAC_512'],
  KEY_AGREEMENT: ['ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521', 'SM2'],
};
const USES = /** @type {Array<[string, string]>} */ ([['ENCRYPT_DECRYPT', 'Encrypt and decrypt'], ['SIGN_VERIFY', 'Sign and verify'], ['GENERATE_VERIFY_MAC', 'Make and verify MACs'], ['KEY_AGREEMENT', 'Agree on keys']]);

export function CreateKey() {
  const kind = place.value.path.endsWith('/upload-key') ? 'upload' : place.value.path.endsWith('/create-hyok-key') || query.value.new === 'hyok' ? 'hyok' : 'native';
  return html`<${Creation} kind=${kind} key=${kind} />`;
}

/** @param {{kind: 'native' | 'upload' | 'hyok'}} props */
function Creation({ kind }) {
  const form = useForm(`key.${kind}`, START);
  const { values } = form;
  const kms = useGet('/cckm/aws/kms', { limit: 200, sort: 'name' });
  const usable = (kms.data?.resources ?? []).filter((/** @type {any} */ one) => String(one.status).toLowerCase() !== 'archived' && !lacks({ kms: one.name, kms_id: one.id }, kind === 'upload' ? 'keyupload' : kind === 'hyok' ? 'hyokkeycreate' : 'keycreate'));
  const chosen = usable.find((/** @type {any} */ one) => one.name === values.kms);
  const title = KINDS[kind].title;
  usePage({ title, crumbs: [{ label: 'Keys', href: '/cckm/aws/keys' }, { label: title }], call: callOf(kind, values), terraform: keyResource(bodyOf(kind, values)) });

  const stores = useGet(kind === 'hyok' && chosen ? '/cckm/aws/custom-key-stores' : null, { kms: chosen?.name, limit: 100 });
  const offered = /** @type {any[]} */ (stores.data?.resources ?? []);
  const store = offered.find((one) => one.id === values.store);
  useOffered(form, 'kms', kms.data && usable.map((/** @type {any} */ one) => one.name));
  // A HYOK key is in the region of its key store.
  useOffered(form, 'region', store ? [store.region] : chosen?.regions);
  useOffered(form, 'spec', SPECS[values.usage]);
  useOffered(form, 'store', stores.data && !stores.loading ? offered.map((one) => one.id) : null, true);

  const create = async () => {
    const answer = await form.submit(() => api.post(KINDS[kind].path, bodyOf(kind, values)));
    if (!answer) return;
    changed('/cckm/aws/keys');
    if (values.schedule && answer.id) {
      try {
        await api.post(`/cckm/aws/keys/${segment(answer.id)}/enable-rotation-job`, { job_config_id: values.schedule });
      } catch (/** @type {any} */ error) {
        toast(`The key is made. It could not be put under the schedule: ${error.message}`);
      }
    }
    toast(`${values.alias ? `alias/${values.alias.replace(/^alias\//, '')}` : 'The key'} is made.`);
    go(`/cckm/aws/keys/${segment(answer.id)}`);
  };
  const failed = Object.keys(form.errors).length > 0;
  // A refusal is shown where its field is.
  useEffect(() => {
    if (!failed) return;
    const step = ['kms', 'region'].some((name) => form.errors[name]) ? null : ['policy', 'policytemplate'].some((name) => form.errors[name]) ? 3 : 2;
    setQuery({ step }, { push: true });
  }, [failed]);

  if (kms.data && usable.length === 0) return html`<div class="page"><${Empty} icon="cloud" title="There is no KMS in which you may do this">Add one, or ask for ${kind === 'upload' ? 'keyupload' : 'keycreate'} on one.<br /><a href="/cckm/aws/kms">To the KMSs</a><//></div>`;
  const kindOf = html`<${Segments} label="What kind of key" value=${kind} onChange=${(/** @type {string} */ next) => go(next === 'upload' ? '/cckm/aws/upload-key' : next === 'hyok' ? '/cckm/aws/create-hyok-key' : '/cckm/aws/keys?new=native')} options=${[['native', 'AWS makes it'], ['upload', 'Upload my own'], ['hyok', 'Hold it here']]} />`;
  return html`<${Wizard} title=${title} sub=${KINDS[kind].sub} leave="/cckm/aws/keys" drafted=${form.drafted || values.alias !== ''} busy=${form.busy} finish=${KINDS[kind].finish} onFinish=${create}
    aside=${html`<${Card} title="What will happen"><${WillHappen} kind=${kind} values=${values} /><//><section class="card"><${AsCode} call=${callOf(kind, values)} terraform=${undefined} /></section>`}
    steps=${[
      { title: 'Where', said: `${values.kms}, ${values.region}`, ready: Boolean(values.kms && (values.region || kind === 'hyok')), mend: 'Choose a KMS and a region.', show: () => html`<div>${kindOf}</div><div class="form">
        <${SelectField} form=${form} name="kms" label="KMS" options=${usable.map((/** @type {any} */ one) => [one.name, `${one.name}, ${one.account_id}`])} />
        ${kind !== 'hyok' && html`<${SelectField} form=${form} name="region" label="Region" options=${(chosen?.regions ?? []).map((/** @type {string} */ region) => [region, region])} none="Choose a region" />`}</div>` },
      { title: 'Key and material', said: values.alias && `alias/${values.alias.replace(/^alias\//, '')}`, ready: kind !== 'hyok' || Boolean(values.store), mend: 'Choose the key store.', show: () => html`<${KeyStep} kind=${kind} form=${form} stores=${offered} />` },
      { title: 'Policy', said: { aws: 'AWS’s default', template: 'a template', json: 'its own' }[/** @type {'aws'} */ (values.policyKind)], show: () => html`<${PolicyStep} form=${form} kms=${values.kms} account=${chosen?.account_id} />` },
      { title: 'Review', show: () => html`<${Review} kind=${kind} values=${values} /><${FormNote} form=${form} />` },
    ]} />`;
}

/** @param {{kind: string, form: import('../../components/form.js').Form, stores: any[]}} props */
function KeyStep({ kind, form, stores }) {
  const { values } = form;
  const [alias, setAlias] = useState(/** @type {any} */ (null));
  const schedules = useGet('/scheduler/job-configs', { operation: 'cckm_key_rotation', limit: 100 });
  useEffect(() => {
    setAlias(null);
    if (values.alias.trim() === '' || !values.region) return undefined;
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const answer = await api.post('/cckm/aws/alias/verify', { alias: values.alias, kms: values.kms, region: values.region }, { signal: abort.signal });
        if (answer.is_available) setAlias({ good: `Free in ${values.region}. AWS was asked just now.` });
        else form.refuse({ Alias: `Another key of ${values.region} has this alias.` });
      } catch (/** @type {any} */ error) {
        if (!abort.signal.aborted && error.status === 400) form.refuse({ Alias: error });
      }
    }, 400);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [values.alias, values.region]);
  // The API's member is Alias; the field keeps it under a name of the form.
  const aliased = { ...form, errors: { ...form.errors, alias: form.errors.alias ?? form.errors.Alias } };
  form.fields.add('Alias').add('KeySpec').add('ValidTo').add('valid_to').add('source_key_identifier');
  return html`${kind !== 'native' && html`<${SourcePicker} form=${form} kind=${kind} />`}
    <div class="form">
      ${kind === 'native' && html`<${SelectField} form=${form} name="usage" label="What is it for?" options=${USES} /><${SelectField} form=${form} name="spec" label="Spec" options=${SPECS[values.usage].map((spec) => [spec, spec])} />`}
      ${kind === 'upload' && html`<${Expiry} form=${form} />`}
      ${kind === 'hyok' && html`<${SelectField} form=${form} name="store" label="Key store" none="Choose a key store" options=${stores.map((one) => [one.id, one.name ?? one.aws_param?.CustomKeyStoreName])} hint="One that this manager serves." />`}
      <${TextField} form=${aliased} name="alias" label="Alias" optional="can be changed later" prefix="alias/" good=${alias?.good} />
      ${kind !== 'hyok' && html`<${SelectField} form=${form} name="schedule" label="Rotated by" optional="can be changed later" none="nothing of ours" options=${(schedules.data?.resources ?? []).map((/** @type {any} */ one) => [one.id, `${one.name}, ${one.run_at_words ?? one.run_at}`])} />`}
      <${AreaField} form=${form} name="description" label="Description" optional rows=${2} full />
      <${TextField} form=${form} name="tags" label="Tags" optional="key=value, with commas; up to 50" full />
      ${kind !== 'hyok' && html`<${CheckField} form=${form} name="multiRegion" label="A multi-region key" hint="Only such a key can have replicas; AWS does not change it later." />`}
    </div><${FormNote} form=${form} />`;
}

/** @param {{kind: 'native' | 'upload' | 'hyok', values: any}} props */
function Review({ kind, values }) {
  const body = bodyOf(kind, values);
  return html`<${Note} icon="eye">Nothing has been asked of AWS yet. AWS makes the key when you finish; a new key cannot be tried out beforehand.<//>
    <${Card} title="Review"><dl class="pairs"><dt>Where</dt><dd>${values.kms}, ${values.region}</dd><dt>Alias</dt><dd>${values.alias ? html`<bdi>alias/${values.alias.replace(/^alias\//, '')}</bdi>` : html`<span class="t3">none</span>`}</dd>
      ${kind === 'native' && html`<dt>Spec</dt><dd class="mono">${values.spec}</dd>`}<dt>Policy</dt><dd>${values.policyKind === 'aws' ? 'AWS’s default: the account’s root, so IAM decides' : values.policyKind === 'template' ? 'that of a template' : 'its own'}</dd>
      ${values.schedule && html`<dt>Then</dt><dd>put under a schedule</dd>`}<dt>Members sent</dt><dd class="mono small">${Object.keys(body).join(', ')}</dd></dl><//>`;
}
