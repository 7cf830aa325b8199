/** A new key store in a CloudHSM cluster: AWS makes it at once. */
import { html, useEffect, useState } from '../../view.js';
import { api } from '../../api.js';
import { changed, useGet } from '../../data.js';
import { usePage } from '../../page.js';
import { go } from '../../router.js';
import { segment } from '../../lib/query.js';
import { plural } from '../../lib/text.js';
import { ErrorNote } from '../../components/bits.js';
import { AreaField, FormNote, SelectField, TextField, useForm, useOffered } from '../../components/form.js';
import { Head } from '../../components/head.js';
import { Button } from '../../components/popup.js';
import { toast } from '../../components/toast.js';

/** @param {{kinds: any}} props kinds: the choice of the kind of store */
export function CloudHsmForm({ kinds }) {
  const form = useForm('key-store-hsm', { name: '', kms: '', region: '', cloud_hsm_cluster_id: '', key_store_password: '', trust_anchor_certificate: '' }, { secrets: ['key_store_password'] });
  const { values } = form;
  const kms = useGet('/cckm/aws/kms', { limit: 200, sort: 'name' });
  const chosen = (kms.data?.resources ?? []).find((/** @type {any} */ one) => one.name === values.kms);
  const [found, setFound] = useState(/** @type {{clusters: any[] | null, error: any}} */ ({ clusters: null, error: null }));
  const [tries, setTries] = useState(0);
  usePage({ title: 'Add a key store', crumbs: [{ label: 'Key stores', href: '/cckm/aws/custom-key-stores' }, { label: 'Add a key store' }] });
  useOffered(form, 'region', chosen?.regions);
  // AWS is asked which clusters are free, of each region once it is chosen.
  useEffect(() => {
    setFound({ clusters: null, error: null });
    if (!values.kms || !values.region) return undefined;
    const abort = new AbortController();
    api.post('/cckm/aws/custom-key-stores/get-unused-cloudhsm-clusters', { kms: values.kms, region: values.region }, { signal: abort.signal }).then((answer) => setFound({ clusters: answer.clusters, error: null }), (error) => !abort.signal.aborted && setFound({ clusters: [], error }));
    return () => abort.abort();
  }, [values.kms, values.region, tries]);
  useOffered(form, 'cloud_hsm_cluster_id', found.clusters && found.clusters.map((one) => one.ClusterId));
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const { name, region, ...aws } = values;
    delete aws.kms;
    const answer = await form.submit(() => api.post('/cckm/aws/custom-key-stores', { name, kms: values.kms, region, aws_param: { custom_key_store_type: 'AWS_CLOUDHSM', ...aws } }));
    if (!answer) return;
    changed('/cckm/aws/custom-key-stores');
    toast('The key store is made. Connect AWS to it now.');
    go(`/cckm/aws/custom-key-stores/${segment(answer.id)}`);
  };
  const clusters = found.clusters ?? [];
  return html`<form class="page" onSubmit=${save}><${Head} title="Add a key store" sub="AWS keeps its keys in a CloudHSM cluster of the account." /><div class="body"><div class="column"><div>${kinds}</div><div class="form">
      <${TextField} form=${form} name="name" label="Name" hint="In AWS it has the same name." /><${SelectField} form=${form} name="kms" label="KMS" none="Choose a KMS" options=${(kms.data?.resources ?? []).map((/** @type {any} */ one) => [one.name, `${one.name}, ${one.account_id}`])} />
      <${SelectField} form=${form} name="region" label="Region" none="Choose a region" options=${(chosen?.regions ?? []).map((/** @type {string} */ one) => [one, one])} />
      <${SelectField} form=${form} name="cloud_hsm_cluster_id" label="Cluster" none="Choose a cluster" options=${clusters.map((one) => [one.ClusterId, `${one.ClusterId}, ${plural((one.Hsms ?? []).length, 'HSM')}`])} hint=${found.clusters === null ? 'AWS is asked once the region is chosen.' : clusters.length === 0 && !found.error ? `No active cluster of ${values.region} is free: each backs a key store already, or there is none.` : 'Active ones that back no key store; AWS was asked just now.'} />
      <${TextField} form=${form} name="key_store_password" type="password" label="Password of kmsuser" autocomplete="new-password" hint="AWS is told of it. It is neither stored nor logged here." />
      <${AreaField} form=${form} name="trust_anchor_certificate" label="Certificate of the cluster" mono rows=${6} full hint="customerCA.crt, with which the cluster was made ready; PEM." />
    </div><${ErrorNote} error=${found.error} again=${() => setTries(tries + 1)} what="AWS could not say which clusters are free." /><${FormNote} form=${form} /></div></div>
    <div class="foot"><span class="grow"></span><a class="button quiet" href="/cckm/aws/custom-key-stores">Leave</a><${Button} type="submit" class="ink" busy=${form.busy}>Add the key store<//></div></form>`;
}
