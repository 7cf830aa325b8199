/** The primary key of a multi-region family and its replicas; another replica. */
import { html } from '../../view.js';
import { shared, useGet } from '../../data.js';
import { lacks } from '../../rights.js';
import { segment } from '../../lib/query.js';
import { keyName, keyState } from '../../lib/key.js';
import { Card, Empty, Note } from '../../components/bits.js';
import { ask } from '../../components/dialog.js';
import { Button } from '../../components/popup.js';
import { toast } from '../../components/toast.js';
import { WorldMap } from '../../components/world.js';
import { KeyState } from './columns.js';

/** @param {{row: any, path: string, changed: (answer: any) => void, readOnly?: boolean}} props */
export function KeyReplicas({ row: key, path, changed, readOnly }) {
  const aws = key.aws_param ?? {};
  const family = useGet(aws.MultiRegion ? '/cckm/aws/keys' : null, { keyid: aws.KeyID, limit: 50 });
  if (!aws.MultiRegion) return html`<div class="body"><${Empty} icon="globe" title="A key of one region">Only a key that is made as a multi-region key can have replicas; AWS does not change that later.<//></div>`;
  const config = aws.MultiRegionConfiguration ?? {};
  const primary = config.MultiRegionKeyType === 'PRIMARY';
  const regions = [config.PrimaryKey, ...(config.ReplicaKeys ?? [])].filter(Boolean);
  const known = new Map((family.data?.resources ?? []).map((/** @type {any} */ one) => [one.region, one]));
  const done = (/** @type {any} */ answer) => answer && (changed(null), family.reload());
  const replicate = async () => {
    const kms = await shared(`/cckm/aws/kms/${segment(key.kms_id)}`);
    const free = (kms.regions ?? []).filter((/** @type {string} */ region) => !regions.some((one) => one.Region === region));
    if (free.length === 0) return toast(`${key.kms} has no further region. Add one to the KMS first.`);
    return ask({
      title: `Replicate ${keyName(key)}?`, act: 'Make the replica', tone: 'ink', keep: 'Leave it', text: 'The replica has the same material and id in another region, and a policy of its own.', values: { region: free[0] },
      fields: (values, set) => html`<div class="field grow"><label for="replica-region">Region</label><select id="replica-region" name="replica_region" class="select" onChange=${(/** @type {any} */ event) => set({ region: event.target.value })}>${free.map((/** @type {string} */ region) => html`<option value=${region} selected=${region === values.region}>${region}</option>`)}</select></div>`,
      run: (values, api) => api.post(`${path}/replicate-key`, { replica_region: values.region }),
    }).then(done);
  };
  const promote = (/** @type {string} */ region) => ask({ title: `Make ${region} the primary?`, act: 'Make it the primary', tone: 'ink', keep: 'Leave it', text: 'The present primary becomes a replica. Both can be used all the while.', run: (_, api) => api.post(`${path}/update-primary-region`, { PrimaryRegion: region }), dry: true }).then(done);
  const spots = regions.map((one, i) => {
    const here = known.get(one.Region);
    return { region: one.Region, state: here ? keyState(here) : 'unknown', says: [i === 0 ? 'primary' : '', one.Region === key.region ? 'this one' : '', here ? '' : 'not managed here'].filter(Boolean).join(', ') };
  });
  const where = `The primary key is in ${regions[0]?.Region ?? 'no region'}${regions.length > 1 ? `, its replicas in ${regions.slice(1).map((one) => one.Region).join(', ')}` : ', without replicas'}.`;
  return html`<div class="body">${!primary && html`<${Note}>This is a replica. Its primary is in ${config.PrimaryKey?.Region}; changes of the material are made there.<//>`}
    <${Card} title="Multi-region family" sub=${`${regions.length} regions`} acts=${primary && !readOnly && html`<${Button} class="small" icon="plus" missing=${lacks(key, 'keycreate')} onClick=${replicate}>Replicate…<//>`} flush><${WorldMap} spots=${spots} label=${where} /><table class="table" aria-label="Regions"><thead><tr><th>Region</th><th>Is</th><th>State</th><th style=${{ width: '190px' }}><span class="unseen">Acts</span></th></tr></thead><tbody>${regions.map((one, i) => {
      const here = known.get(one.Region);
      return html`<tr key=${one.Region}><td>${here ? html`<a class="accent" href=${`/cckm/aws/keys/${segment(here.id)}`}>${one.Region}</a>` : one.Region}</td><td>${i === 0 ? 'primary' : 'replica'}${one.Region === key.region ? html`<span class="t3">, this one</span>` : ''}</td><td>${here ? html`<${KeyState} row=${here} />` : html`<span class="t3">not managed here</span>`}</td><td class="right">${i > 0 && primary && !readOnly && html`<${Button} class="small quiet" missing=${lacks(key, 'keyupdate')} onClick=${() => promote(one.Region)}>Make primary…<//>`}</td></tr>`;
    })}</tbody></table><//></div>`;
}
