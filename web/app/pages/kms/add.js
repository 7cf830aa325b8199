/** Adds a KMS in steps: the connection, the account and regions that AWS names, the name. Nothing changes in AWS. */
import { html, useEffect, useLayoutEffect, useState } from '../../view.js';
import { api } from '../../api.js';
import { changed, useGet } from '../../data.js';
import { usePage } from '../../page.js';
import { go, query } from '../../router.js';
import { segment } from '../../lib/query.js';
import { plural } from '../../lib/text.js';
import { kmsResource } from '../../lib/terraform.js';
import { Card, Chip, ErrorNote, IdLine, Note, Pairs, Skeleton, State } from '../../components/bits.js';
import { DryRunBox, DryRunButton, useDryRun } from '../../components/dry-run.js';
import { FormNote, TextField, useForm } from '../../components/form.js';
import { Wizard } from '../../components/steps.js';
import { toast } from '../../components/toast.js';
import { CONNECTIONS } from '../connections/parts.js';

export function AddKms() {
  const form = useForm('kms', { connection: typeof query.value.connection === 'string' ? query.value.connection : '', assume_role_arn: '', assume_role_external_id: '', account_id: '', regions: [], name: '' });
  const { values } = form;
  const connections = useGet(CONNECTIONS, { limit: 200, sort: 'name' });
  const list = /** @type {any[]} */ (connections.data?.resources ?? []);
  const role = values.assume_role_arn.trim() === '' ? {} : { assume_role_arn: values.assume_role_arn.trim(), assume_role_external_id: values.assume_role_external_id.trim() };
  const asked = JSON.stringify({ connection: values.connection, ...role });
  const account = useAccount(values.connection === '' ? null : asked);
  const found = account.data;

  useLayoutEffect(() => {
    if (!values.connection && list.length === 1) form.set({ connection: list[0].name });
  }, [list.length]);
  useLayoutEffect(() => {
    if (found && found.account_id !== values.account_id) form.set({ account_id: found.account_id, regions: values.regions.filter((/** @type {string} */ one) => found.regions.includes(one)) });
  }, [found]);

  const body = { name: values.name.trim(), account_id: values.account_id, connection: values.connection, regions: values.regions, ...role };
  usePage({ title: 'Add a KMS', crumbs: [{ label: 'KMSs', href: '/cckm/aws/kms' }, { label: 'Add a KMS' }], call: { method: 'POST', path: '/cckm/aws/kms', query: {}, body }, terraform: kmsResource(body) });
  const dry = useDryRun(() => api.post('/cckm/aws/kms', body, { query: { dry_run: true } }), (answer) => html`This would add ${answer.name}, acting as <span class="mono break">${answer.arn}</span>.`);
  const finish = async () => {
    const answer = await form.submit(() => api.post('/cckm/aws/kms', body));
    if (!answer) return;
    changed('/cckm/aws/kms');
    toast(html`The KMS ${answer.name} is added. Synchronise it to read its keys.`);
    go(`/cckm/aws/kms/${segment(answer.id)}`);
  };
  const connected = values.connection !== '' && found !== null && !account.error;
  return html`<${Wizard} title="Add a KMS" sub="A KMS is one AWS account with the regions that Claviger looks after. Nothing is changed in AWS." leave="/cckm/aws/kms" finish="Add the KMS" busy=${form.busy} onFinish=${finish} drafted=${form.drafted}
    aside=${html`<${Card} title="What will happen"><ul class="plain-list"><li>Claviger remembers the account and its regions; it changes nothing there.</li><li>A synchronisation reads the keys that are there.</li><li>Only CCKM Admins see the KMS until you give others rights on it.</li></ul><//>
      ${connected && html`<${Card} title="So far"><${Pairs} of=${[['Connection', html`<bdi>${values.connection}</bdi>`], ['Account', html`<span class="mono">${found.account_id}</span>`], ['Regions', values.regions.length > 0 ? values.regions.join(', ') : null], values.name && ['Name', html`<bdi>${values.name}</bdi>`]]} /><//>`}`}
    steps=${[
      { title: 'Connection', said: html`<bdi>${values.connection}</bdi>`, ready: connected, mend: values.connection === '' ? 'Choose a connection.' : account.error ? 'AWS refused this connection.' : 'AWS is asked.', show: () => html`<${ConnectionStep} form=${form} list=${list} read=${connections} account=${account} />` },
      { title: 'Account and regions', said: `${values.account_id}, ${plural(values.regions.length, 'region')}`, ready: connected && values.regions.length > 0, mend: 'Choose a region at least.', show: () => html`<${RegionStep} form=${form} found=${found} />` },
      { title: 'Name', said: values.name, ready: values.name.trim() !== '', mend: 'It needs a name.', show: () => html`<div class="form one"><${TextField} form=${form} name="name" label="Name" hint="Shown wherever its keys are. At most 255 characters." placeholder="payments" /></div><${FormNote} form=${form} /><div><${DryRunButton} dry=${dry} disabled=${values.name.trim() === ''} /></div><${DryRunBox} dry=${dry} />` },
    ]} />`;
}

/** The account and regions of a connection; AWS is asked 400 ms after the last change. @param {string | null} asked */
function useAccount(asked) {
  const [state, setState] = useState(/** @type {{data: any, error: any, loading: boolean}} */ ({ data: null, error: null, loading: asked !== null }));
  useEffect(() => {
    if (asked === null) return undefined;
    const abort = new AbortController();
    setState((old) => ({ ...old, loading: true, error: null }));
    const timer = setTimeout(async () => {
      try {
        const data = await api.post('/cckm/aws/accounts', JSON.parse(asked), { signal: abort.signal });
        if (!abort.signal.aborted) setState({ data, error: null, loading: false });
      } catch (error) {
        if (!abort.signal.aborted) setState({ data: null, error, loading: false });
      }
    }, 400);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [asked]);
  return state;
}

/** @param {{form: import('../../components/form.js').Form, list: any[], read: any, account: any}} props */
function ConnectionStep({ form, list, read, account }) {
  const { values } = form;
  const [wantsRole, setWantsRole] = useState(values.assume_role_arn !== '');
  if (read.error) return html`<${ErrorNote} error=${read.error} again=${read.reload} />`;
  if (!read.data) return html`<${Skeleton} rows=${4} />`;
  return html`${list.length === 0 && html`<${Note} acts=${html`<a href=${`${CONNECTIONS}?new=1`}>Add a connection</a>`}>There is no connection to AWS yet.<//>`}
    <div class="choices" role="radiogroup" aria-label="Connection">${list.map((one) => html`<label class=${`choice ${values.connection === one.name ? 'chosen' : ''}`} key=${one.id}><input type="radio" class="box" name="connection" checked=${values.connection === one.name} onChange=${() => form.set({ connection: one.name })} />
      <span class="grow"><bdi class="strong cut">${one.name}</bdi><br /><span class="small t2">${one.access_key_id ? html`<span class="mono">${one.access_key_id}</span>` : 'Roles Anywhere'}, ${one.cloud_name}</span></span>${one.last_connection_ok === false ? html`<span data-tip=${one.last_connection_error}><${State} state="warn" word="failed at its last test" /></span>` : one.last_connection_ok ? html`<${State} state="ok" word="works" />` : html`<span class="small t3">not tested</span>`}</label>`)}</div>
    ${wantsRole ? html`<div class="form one"><${TextField} form=${form} name="assume_role_arn" label="Role to assume" optional mono placeholder="arn:aws:iam::123456789012:role/claviger" /><${TextField} form=${form} name="assume_role_external_id" label="External id" optional /></div>` : html`<button type="button" class="link" onClick=${() => setWantsRole(true)}>Use a role in another account…</button>`}
    ${values.connection !== '' && (account.error ? html`<${ErrorNote} error=${account.error} />` : account.loading || !account.data ? html`<${Note} icon="refresh-cw" live>AWS is asked for the account and its regions.<//>` : html`<${Note} tone="ok" live><b>It works: account ${account.data.account_id}.</b> ${plural(account.data.regions.length, 'region is', 'regions are')} enabled.<//>`)}`;
}

/** @param {{form: import('../../components/form.js').Form, found: any}} props */
function RegionStep({ form, found }) {
  if (!found) return html`<${Skeleton} rows=${4} />`;
  const chosen = /** @type {string[]} */ (form.values.regions);
  const all = /** @type {string[]} */ ([...found.regions].sort());
  const toggle = (/** @type {string} */ region) => form.set({ regions: chosen.includes(region) ? chosen.filter((one) => one !== region) : [...chosen, region].sort() });
  return html`<div class="row">Account <${IdLine} text=${found.account_id} what="the account" /><${Chip}>${plural(chosen.length, 'region')} chosen<//></div>
    <fieldset class="regions"><legend class="legend">Regions <span class="optional">those that are enabled in the account</span></legend><div class="row small"><button type="button" class="link" onClick=${() => form.set({ regions: all })}>All</button><button type="button" class="link" onClick=${() => form.set({ regions: [] })}>None</button></div>
      <div class="checks">${all.map((region) => html`<label class="check" key=${region}><input type="checkbox" class="box" checked=${chosen.includes(region)} onChange=${() => toggle(region)} /><span>${region}</span></label>`)}</div></fieldset>`;
}
