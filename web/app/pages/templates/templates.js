/** Policy templates: list, one with its keys, and the form. */
import { html } from '../../view.js';
import { api, versionOf } from '../../api.js';
import { changed, useGet } from '../../data.js';
import { usePage } from '../../page.js';
import { go, query, setQuery } from '../../router.js';
import { segment } from '../../lib/query.js';
import { jsonText, plural } from '../../lib/text.js';
import { readPolicy } from '../../lib/policy.js';
import { templateResource } from '../../lib/terraform.js';
import { lacksAnywhere } from '../../rights.js';
import { Card, Chip, Empty, ErrorNote, IdLine, Name, Note, Skeleton, Time } from '../../components/bits.js';
import { ask } from '../../components/dialog.js';
import { CheckField, FormNote, SelectField, TextField, useForm } from '../../components/form.js';
import { Head, Tabs } from '../../components/head.js';
import { History } from '../../components/history.js';
import { Icon } from '../../components/icon.js';
import { Instead, ReadOnly, TimeBar } from '../../components/timebar.js';
import { Difference, Json } from '../../components/json.js';
import { YES_NO, kmsOptions } from '../../components/list/filters.js';
import { List } from '../../components/list/list.js';
import { Button } from '../../components/popup.js';
import { toast } from '../../components/toast.js';
import { AsCode } from '../../frame/api-menu.js';
import { NotFound } from '../not-found.js';
import { KEY_COLUMNS } from '../keys/columns.js';
import { Editor } from '../keys/policy.js';

/** @type {import('../../components/list/table.js').Column[]} */
const COLUMNS = [
  { id: 'name', title: 'Name', sort: 'name', cell: (row) => html`<${Name} text=${row.name} />`, second: (row) => row.account_id },
  { id: 'account', title: 'Account', width: 140, leaves: 2, cell: (row) => html`<span class="mono t2">${row.account_id}</span>` },
  { id: 'verified', title: 'Tried at AWS', width: 130, cell: (row) => (row.is_verified ? html`<${Chip} tone="ok">a key has it<//>` : html`<span class="t3">not yet</span>`) },
  { id: 'changed', title: 'Changed', width: 150, sort: 'updatedAt', cell: (row) => html`<${Time} at=${row.updatedAt} />` },
];

export function TemplateList() {
  usePage({ title: 'Policy templates' });
  return html`<div class="page full"><${Head} title="Policy templates" sub="One policy for many keys of an account; a change is pushed to all of them." actions=${html`<${Button} class="ink" icon="plus" kbd="C" missing=${lacksAnywhere('keyupdate')} onClick=${() => go('/cckm/aws/templates?new=1')}>Make a template<//>`} />
    <${List} path="/cckm/aws/templates" noun=${['template', 'templates']} sort="name" search=${{ name: 'name', placeholder: 'Name, or with *' }} href=${(/** @type {any} */ row) => `/cckm/aws/templates/${segment(row.id)}`}
      columns=${COLUMNS}
      filters=${[{ name: 'kms', title: 'KMS', options: kmsOptions }, { name: 'account_id', title: 'Account', placeholder: '123456789012' }, { name: 'is_verified', title: 'Tried at AWS', options: YES_NO }]}
      empty=${html`<${Empty} icon="file-braces" title="No template yet">A template is the policy of many keys at once.<br /><a href="/cckm/aws/templates?new=1">Make a template</a><//>`} /></div>`;
}

/** @param {{id: string}} props */
export function TemplateDetail({ id }) {
  const path = `/cckm/aws/templates/${segment(id)}`;
  const read = useGet(path, { at: query.value.at });
  const past = query.value.at !== undefined;
  const keys = useGet(past ? null : '/cckm/aws/keys', { cckm_policy_template_id: id, limit: 1 });
  const one = read.data;
  usePage({ title: one?.name ?? 'Template', crumbs: [{ label: 'Policy templates', href: '/cckm/aws/templates' }, { label: one?.name ?? id.slice(0, 8) }], terraform: one && templateResource(one), past: true });
  if (read.error?.status === 404 && !past) return html`<${NotFound} what="policy template" list="/cckm/aws/templates" />`;
  const bar = past && html`<${TimeBar} path=${path} name=${one?.name ?? id.slice(0, 8)} begun=${one?.createdAt ?? ''} />`;
  if (!one || (past && read.error)) return html`<${Instead} bar=${bar} read=${read} rows=${6} />`;
  const missing = lacksAnywhere('keyupdate');
  const drop = () => ask({ title: `Delete the template ${one.name}?`, level: 3, name: one.name, act: 'Delete the template', keep: 'Keep it', text: 'It can be deleted once no key carries its tag.', run: (_, api) => api.delete(path), dry: true }).then((answer) => answer && (changed('/cckm/aws/templates'), go('/cckm/aws/templates')));
  return html`${bar}<div class="page"><${Head} title=${html`<bdi>${one.name}</bdi>`} beside=${one.is_verified ? html`<${Chip} tone="ok">tried at AWS<//>` : html`<${Chip}>not tried yet<//>`} sub=${html`<span class="row">Account <${IdLine} text=${one.account_id} /></span><${IdLine} text=${one.id} what="the id" />`} actions=${past ? html`<${ReadOnly} />` : html`<${Button} missing=${missing} onClick=${() => go(`/cckm/aws/templates?new=1&edit=${encodeURIComponent(id)}`)}>Edit<//><${Button} class="danger" missing=${missing} onClick=${drop}>Delete…<//>`} />
    <${Tabs} tabs=${[
      { id: 'policy', label: 'Policy', show: () => html`<div class="body"><${Card} title="Policy"><${Json} value=${jsonText(one.policy)} label="the policy" /><//></div>` },
      !past && { id: 'keys', label: 'Keys', count: keys.data?.total, show: () => html`<div class="list-tab"><${List} path="/cckm/aws/keys" fixed=${{ cckm_policy_template_id: id }} noun=${['key', 'keys']} columns=${KEY_COLUMNS} sort="alias" href=${(/** @type {any} */ row) => `/cckm/aws/keys/${segment(row.id)}`} /></div>` },
      { id: 'history', label: 'History', show: () => html`<${History} path=${path} />` },
    ]} /></div>`;
}

export function TemplateForm() {
  const edit = query.value.edit;
  const read = useGet(edit ? `/cckm/aws/templates/${segment(edit)}` : null);
  if (edit && !read.data) return html`<div class="body">${read.error ? html`<${ErrorNote} error=${read.error} />` : html`<${Skeleton} rows=${6} />`}</div>`;
  return html`<${Form} present=${read.data} />`;
}

const START = jsonText({ Version: '2012-10-17', Statement: [{ Sid: 'Enable IAM User Permissions', Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::ACCOUNT:root' }, Action: 'kms:*', Resource: '*' }] });

/** @param {{present: any}} props */
function Form({ present }) {
  const path = `/cckm/aws/templates/${segment(present?.id ?? '')}`;
  const newest = present ? versionOf(path) : undefined;
  // The version is in the draft: what was typed over an older one is never sent as a change of the newest.
  const initial = { name: present?.name ?? '', kms: '', policy: present ? jsonText(present.policy) : START, auto_push: Boolean(present?.is_verified), version: newest };
  const form = useForm(present ? `template.${present.id}` : 'template', initial);
  const { values, set } = form;
  const stale = Boolean(present) && values.version !== newest;
  const kms = useGet('/cckm/aws/kms', { limit: 200, sort: 'name' });
  const keys = useGet(present ? '/cckm/aws/keys' : null, { cckm_policy_template_id: present?.id, limit: 1 });
  const { value, fault } = readPolicy(values.policy);
  const title = present ? `Edit ${present.name}` : 'Make a template';
  const chosen = (kms.data?.resources ?? []).find((/** @type {any} */ one) => one.name === values.kms);
  const policy = chosen ? values.policy.replaceAll('::ACCOUNT:', `::${chosen.account_id}:`) : values.policy;
  const body = present ? { policy, ...(values.auto_push && { auto_push: true }) } : { name: values.name, kms: values.kms, policy };
  const call = { method: present ? 'PATCH' : 'POST', path: present ? path : '/cckm/aws/templates', query: {}, body };
  usePage({ title, crumbs: [{ label: 'Policy templates', href: '/cckm/aws/templates' }, { label: title }], call, terraform: templateResource({ ...present, ...body }) });
  form.fields.add('policy').add('auto_push');
  const change = () => api.patch(path, body, { version: values.version });
  const send = () => form.submit(() => (present ? change() : api.post('/cckm/aws/templates', body)));
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!value) return;
    const answer = values.auto_push && present
      ? await ask({ title: `Push ${values.name} to ${plural(keys.data?.total ?? 0, 'key')}?`, act: 'Save and push', keep: 'Go back', text: 'Their policies in AWS are replaced by this one.', run: change, dry: () => api.patch(path, body, { query: { dry_run: true } }), says: () => 'The template would be changed, and pushed to its keys.' })
      : await send();
    if (!answer) return;
    form.forget();
    changed('/cckm/aws/templates');
    toast(`${present?.name ?? values.name} is ${present ? 'changed' : 'made'}.`);
    go(`/cckm/aws/templates/${segment(answer.id ?? present.id)}`);
  };
  const takeNewest = () => {
    set(initial);
    form.forget();
  };
  const error = form.errors.policy;
  return html`<form class="page" onSubmit=${save}><${Head} title=${title} actions=${form.drafted && html`<span class="row small t2"><${Icon} name="check" size="small" />Draft kept in this tab</span>`} /><div class="body"><div class="columns wide"><div class="column">
      ${!present && html`<div class="form"><${TextField} form=${form} name="name" label="Name" /><${SelectField} form=${form} name="kms" label="KMS" none="Choose a KMS" options=${(kms.data?.resources ?? []).map((/** @type {any} */ one) => [one.name, `${one.name}, ${one.account_id}`])} hint="The template is for keys of its account." /></div>`}
      ${stale && html`<${Note} tone="warn" live acts=${html`<button type="button" class="link" onClick=${takeNewest}>Take the newest</button><button type="button" class="link" onClick=${() => set({ version: newest })}>Go on with mine</button>`}><b>Somebody else changed the template meanwhile.</b> Your draft is kept.<//><section class="card"><${Difference} before=${jsonText(present.policy)} after=${values.policy} titles=${[html`<b>The newest</b>`, html`<b>Your draft</b>`]} /></section>`}
      ${(fault || error) && html`<${Note} tone="danger">${fault ? html`<b>Line ${fault.line}, column ${fault.column}.</b> ${fault.message}` : error.message ?? error}<//>`}<section class="card"><div class="card-head"><h2>Policy</h2></div><${Editor} text=${values.policy} set=${(/** @type {string} */ text) => set({ policy: text })} fault=${fault} /></section>
      ${present && html`<${CheckField} form=${form} name="auto_push" label=${`Push it to ${plural(keys.data?.total ?? 0, 'key')} that carry it`} hint="Needed once a key has it." />`}<${FormNote} form=${form} /></div><section class="card"><${AsCode} call=${call} terraform=${undefined} /></section></div></div>
    <div class="foot"><span class="grow"></span><button type="button" class="button quiet" onClick=${() => { form.forget(); setQuery({ new: null, edit: null }); }}>Leave</button><${Button} type="submit" class="ink" busy=${form.busy} disabled=${!value}>${present ? 'Save the template' : 'Make the template'}<//></div></form>`;
}

