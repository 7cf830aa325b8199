/** One connection: whether it works, what uses it, its settings, its history. */
import { html, useEffect, useState } from '../../view.js';
import { api, versionOf } from '../../api.js';
import { changed as changedPath, useGet } from '../../data.js';
import { usePage } from '../../page.js';
import { lacksRight } from '../../rights.js';
import { go, query, withQuery } from '../../router.js';
import { segment } from '../../lib/query.js';
import { plural } from '../../lib/text.js';
import { connectionResource } from '../../lib/terraform.js';
import { Card, Chip, Empty, IdLine, Note, Pairs, Time } from '../../components/bits.js';
import { ask } from '../../components/dialog.js';
import { DryRunBox, DryRunButton, useDryRun } from '../../components/dry-run.js';
import { FormNote, useForm } from '../../components/form.js';
import { Head, Tabs } from '../../components/head.js';
import { History } from '../../components/history.js';
import { Button } from '../../components/popup.js';
import { Instead, ReadOnly, TimeBar } from '../../components/timebar.js';
import { toast } from '../../components/toast.js';
import { NotFound } from '../not-found.js';
import { KmsState, Regions } from '../kms/list.js';
import { PolicyCard, Uses } from '../kms/iam-policy.js';
import { ConnectionFields, EMPTY, SECRETS, bodyOf } from './fields.js';
import { CONNECTIONS, ConnectionState, FailsSince, TestNote, testConnection, usePolicy } from './parts.js';

/** @param {{id: string}} props */
export function ConnectionDetail({ id }) {
  const path = `${CONNECTIONS}/${segment(id)}`;
  const at = query.value.at;
  const now = useGet(path);
  const then = useGet(at === undefined ? null : path, { at });
  const read = at === undefined ? now : then;
  const row = read.data;
  const name = row?.name ?? now.data?.name ?? id;
  const used = useGet(now.data && at === undefined ? '/cckm/aws/kms' : null, { connection: now.data?.name, limit: 100, sort: 'name' });
  const [said, setSaid] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  usePage({ title: name, crumbs: [{ label: 'Connections', href: CONNECTIONS }, { label: name }], terraform: row && connectionResource(row), past: true });
  if (read.error?.status === 404 && at === undefined) return html`<${NotFound} what="connection" list=${CONNECTIONS} />`;
  const bar = at !== undefined && html`<${TimeBar} path=${path} name=${name} begun=${now.data?.createdAt} />`;
  if (!row || (at !== undefined && read.error)) return html`<${Instead} bar=${bar} read=${read} />`;
  const missing = lacksRight('connections');
  const past = at !== undefined;
  const test = async () => {
    setBusy(true);
    const begun = performance.now();
    try {
      const answer = await testConnection(`${path}/test`, {}, ['keys', 'byok']);
      setSaid({ answer, took: Math.round(performance.now() - begun) });
    } catch (error) {
      setSaid({ error });
    }
    changedPath(CONNECTIONS);
    setBusy(false);
  };
  const remove = () => ask({
    title: `Delete the connection ${row.name}?`, level: 3, name: row.name, act: 'Delete the connection', keep: 'Keep the connection',
    text: 'Its secret is destroyed here. In AWS nothing changes: delete the access key there too.', warn: (used.data?.total ?? 0) > 0 ? `${plural(used.data.total, 'KMS uses', 'KMSs use')} it; AWS is refused to them without it, so it cannot be deleted.` : undefined,
    run: (_, api) => api.delete(path), dry: () => api.delete(path, { query: { dry_run: true } }), says: () => 'It would be deleted. Nothing was changed.',
  }).then((answer) => {
    if (!answer) return;
    changedPath(CONNECTIONS);
    toast(html`The connection ${row.name} is deleted.`);
    go(CONNECTIONS);
  });
  return html`${bar}<div class="page"><${Head} title=${html`<bdi>${row.name}</bdi>`} beside=${html`${!past && html`<${ConnectionState} row=${row} />`}<${Chip} tone="outline">${row.cloud_name}<//>`} sub=${row.description && html`<bdi>${row.description}</bdi>`}
      actions=${past ? html`<${ReadOnly} />` : html`<${Button} icon="refresh-cw" busy=${busy} missing=${missing} onClick=${test}>Test<//><${Button} class="danger" missing=${missing} onClick=${remove}>Delete…<//>`} />
    <${Tabs} tabs=${[
      { id: 'summary', label: 'Summary', needs: !past && row.last_connection_ok === false, show: () => html`<${Summary} row=${row} used=${used} said=${said} past=${past} />` },
      !past && { id: 'settings', label: 'Settings', show: () => html`<${Settings} row=${row} path=${path} uses=${used.data?.total ?? 0} missing=${missing} changed=${(/** @type {any} */ answer) => now.set(answer)} />` },
      !past && { id: 'policy', label: 'IAM policy', show: () => html`<${Policy} />` },
      { id: 'history', label: 'History', show: () => html`<${History} path=${path} />` },
    ]} /></div>`;
}

/** @param {{row: any, used: any, said: any, past: boolean}} props */
function Summary({ row, used, said, past }) {
  const anywhere = row.iam_role_anywhere ?? {};
  return html`<div class="body">${said ? html`<${TestNote} said=${said} took=${said.took} />` : !past && row.last_connection_ok === false && html`<${Note} tone="danger"><b>AWS refuses it since <${FailsSince} row=${row} />.</b> ${row.last_connection_error}<//>`}
    <div class="columns even"><${Card} title="What it is"><${Pairs} of=${[
      row.is_role_anywhere ? ['Signs in by', 'Roles Anywhere'] : ['Access key', html`<${IdLine} text=${row.access_key_id} what="the access key id" />`],
      row.is_role_anywhere && ['Role', html`<${IdLine} text=${anywhere.anywhere_role_arn ?? ''} short what="the role" />`], row.is_role_anywhere && ['Profile', html`<${IdLine} text=${anywhere.profile_arn ?? ''} short />`], row.is_role_anywhere && ['Trust anchor', html`<${IdLine} text=${anywhere.trust_anchor_arn ?? ''} short />`],
      row.assume_role_arn && ['Assumes', html`<${IdLine} text=${row.assume_role_arn} what="the role" />`], row.assume_role_external_id && ['External id', html`<span class="mono">${row.assume_role_external_id}</span>`],
      ['Region', row.aws_region], ['STS endpoints', row.aws_sts_regional_endpoints], !past && ['Tested', html`<${Time} at=${row.last_connection_at} />`], ['Added', html`<${Time} at=${row.createdAt} />`], ['Changed', html`<${Time} at=${row.updatedAt} />`], ['Id', html`<${IdLine} text=${row.id} short what="the id" />`],
    ]} /><//>
    ${!past && html`<${Card} title="Used by" sub=${used.data && plural(used.data.total, 'KMS', 'KMSs')} flush>${used.data?.total === 0 && html`<${Empty} icon="cloud" title="No KMS uses it."><a href=${`/cckm/aws/kms?new=1&connection=${segment(row.name)}`}>Add a KMS with it</a><//>`}
      <table class="table"><tbody>${(used.data?.resources ?? []).map((/** @type {any} */ kms) => html`<tr key=${kms.id}><td><a href=${`/cckm/aws/kms/${segment(kms.id)}`}><bdi class="strong cut">${kms.name}</bdi></a></td><td class="mono t2">${kms.account_id}</td><td><${Regions} regions=${kms.regions} most=${2} /></td><td><${KmsState} row=${kms} /></td></tr>`)}</tbody></table><//>`}</div></div>`;
}

/** @param {{row: any, path: string, uses: number, missing?: string, changed: (answer: any) => void}} props uses: how many KMSs use it */
function Settings({ row, path, uses, missing, changed }) {
  const anywhere = row.iam_role_anywhere ?? {};
  const first = Object.fromEntries(Object.entries({ ...EMPTY, ...row, ...anywhere, more: true }).filter(([name]) => name in EMPTY).map(([name, value]) => [name, value ?? '']));
  const form = useForm(`connection:${row.id}`, { ...first, base: first }, { secrets: SECRETS });
  const [began, setBegan] = useState(() => versionOf(path));
  // A draft that began with an older version: what was not typed follows what is there now.
  useEffect(() => {
    const { base } = form.values;
    if (form.drafted && JSON.stringify(base) !== JSON.stringify(first)) form.set({ ...Object.fromEntries(Object.keys(first).filter((name) => form.values[name] === base?.[name]).map((name) => [name, first[name]])), base: first });
  }, []);
  const changes = () => {
    const [old, next] = [bodyOf(first), bodyOf(form.values)];
    const differs = Object.fromEntries([...new Set([...Object.keys(old), ...Object.keys(next)])].filter((name) => JSON.stringify(old[name]) !== JSON.stringify(next[name])).map((name) => [name, next[name] ?? '']));
    return first.is_role_anywhere && !form.values.is_role_anywhere ? { ...differs, is_role_anywhere: false, iam_role_anywhere: undefined } : differs;
  };
  const count = Object.keys(changes()).length;
  const dry = useDryRun(() => api.patch(path, changes(), { version: began, query: { dry_run: true } }), () => (uses > 0 ? 'AWS accepts it, and the connection would be changed.' : 'The connection would be changed. No KMS uses it, so AWS was not asked.'));
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    dry.clear();
    const answer = await form.submit(() => api.patch(path, changes(), { version: began }));
    if (!answer) return;
    if (began !== undefined) setBegan(`"${answer.updatedAt}"`);
    form.set({ secret_access_key: '', private_key: '' });
    form.forget();
    changed(answer);
    changedPath(CONNECTIONS);
    toast(html`The connection ${answer.name} is saved.`);
  };
  return html`<div class="body"><form onSubmit=${save}><${Card}><div class="column">${form.drafted && html`<${Note} icon="save">A draft of this tab was taken up. <button type="button" class="link" onClick=${() => { form.set({ ...first, base: first }); form.forget(); }}>Discard it</button><//>`}<${ConnectionFields} form=${form} kept /><${DryRunBox} dry=${dry} /><${FormNote} form=${form} /><div class="row"><span data-save><${Button} type="submit" class="ink" busy=${form.busy} missing=${missing} disabled=${count === 0}>Save the connection<//></span><${DryRunButton} dry=${dry} disabled=${count === 0} /><a class="button quiet" href=${withQuery({ tab: null })}>Leave</a></div></div><//></form></div>`;
}

function Policy() {
  const [uses, setUses] = useState(['keys', 'byok']);
  return html`<div class="body"><div class="row wide wrap"><b>Used for</b><${Uses} chosen=${uses} choose=${setUses} /></div><${PolicyCard} uses=${uses} read=${usePolicy(uses)} /></div>`;
}
