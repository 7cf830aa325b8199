/** One key: its head, facts and tabs. The pattern for other objects. */
import { html } from '../../view.js';
import { useGet } from '../../data.js';
import { usePage } from '../../page.js';
import { query } from '../../router.js';
import { segment } from '../../lib/query.js';
import { keyAge, keyName, keyOrigin } from '../../lib/key.js';
import { keyResource } from '../../lib/terraform.js';
import { AgeBar } from '../../components/charts.js';
import { IdLine, Origin, Time, now } from '../../components/bits.js';
import { Facts, Head, Tabs } from '../../components/head.js';
import { History } from '../../components/history.js';
import { Instead, ReadOnly, TimeBar } from '../../components/timebar.js';
import { Lazy } from '../../components/lazy.js';
import { draft } from '../../storage.js';
import { NotFound } from '../not-found.js';
import { KeyActions } from './actions.js';
import { KeyState, KeyTitle, Rotation } from './columns.js';
import { KeySummary } from './summary.js';
import { AliasesAndTags } from './aliases.js';

/** @param {{id: string}} props */
export function KeyDetail({ id }) {
  const path = `/cckm/aws/keys/${segment(id)}`;
  const read = useGet(path, { at: query.value.at });
  const key = read.data;
  const name = key ? keyName(key) : id;
  usePage({
    title: name,
    crumbs: [{ label: 'Keys', href: '/cckm/aws/keys' }, ...(key ? [{ label: key.kms, href: `/cckm/aws/kms/${segment(key.kms_id)}` }] : []), { label: name }],
    terraform: key && keyResource(key),
    past: true,
  });
  const past = query.value.at !== undefined;
  if (read.error?.status === 404 && !past) return html`<${NotFound} what="key" list="/cckm/aws/keys" />`;
  const bar = past && html`<${TimeBar} path=${path} name=${name} begun=${key?.createdAt ?? ''} />`;
  if (!key || (past && read.error)) return html`<${Instead} bar=${bar} read=${read} />`;

  const aws = key.aws_param ?? {};
  const changed = (/** @type {any} */ answer) => (answer?.aws_param ? read.set(answer) : read.reload());
  const more = (aws.Alias?.length ?? 0) - 1;
  const tags = (aws.Alias?.length ?? 0) + (aws.Tags?.length ?? 0);
  return html`${bar}<div class="page">
    <${Head} title=${html`<${KeyTitle} row=${key} />`}
      beside=${html`<${KeyState} row=${key} /><${Origin} origin=${keyOrigin(key)} />${more > 0 && html`<span class="small t2">+${more} ${more === 1 ? 'alias' : 'aliases'}</span>`}`}
      sub=${html`<${IdLine} text=${aws.Arn} what="the ARN" />`}
      actions=${past ? html`<${ReadOnly} />` : html`<${KeyActions} row=${key} path=${path} changed=${changed} />`} />
    <${Facts} of=${[
      ['KMS', html`<a href=${`/cckm/aws/kms/${segment(key.kms_id)}`}>${key.kms}</a>`],
      ['Account', html`<span class="mono">${key.account_id}</span>`],
      ['Region', key.region],
      ['Spec', html`<span class="mono">${aws.CustomerMasterKeySpec ?? aws.KeySpec}</span>`],
      key.local_key_id && ['Source key', html`<a href=${`/vault/keys2/${segment(key.local_key_id)}`}>${key.local_key_name ?? key.local_key_id.slice(0, 8)}</a>`],
      ['Age of material', html`<${AgeBar} age=${keyAge(key, now.value)} />`],
      ['Rotation', html`<${Rotation} row=${key} />`],
      aws.ValidTo && ['Material expires', html`<span class="warn medium"><${Time} at=${aws.ValidTo} /></span>`],
      ['Read from AWS', html`<${Time} at=${key.synced_at} />`],
    ]} />
    <${Tabs} tabs=${[
      { id: 'summary', label: 'Summary', show: () => html`<${KeySummary} row=${key} path=${path} />` },
      { id: 'policy', label: 'Policy', needs: draft(`policy.${key.id}`) !== null, show: () => html`<${Lazy} key=${past ? 'then' : 'now'} load=${() => import('./policy.js').then((file) => file.KeyPolicy)} row=${key} path=${path} changed=${changed} readOnly=${past} />` },
      !past && { id: 'access', label: 'Who may use it', shortcut: 'w', show: () => html`<${Lazy} load=${() => import('./access.js').then((file) => file.KeyAccess)} row=${key} path=${path} />` },
      !past && { id: 'materials', label: 'Materials', show: () => html`<${Lazy} load=${() => import('./materials.js').then((file) => file.KeyMaterials)} row=${key} path=${path} changed=${changed} />` },
      !past && key.local_hosted_params && { id: 'held', label: 'Held here', show: () => html`<${Lazy} load=${() => import('./held.js').then((file) => file.KeyHeld)} row=${key} path=${path} changed=${changed} />` },
      { id: 'aliases', label: 'Aliases and tags', count: tags, show: () => html`<${AliasesAndTags} row=${key} path=${path} changed=${changed} readOnly=${past} />` },
      { id: 'replicas', label: 'Replicas', count: aws.MultiRegion ? aws.MultiRegionConfiguration?.ReplicaKeys?.length ?? 0 : undefined, show: () => html`<${Lazy} load=${() => import('./replicas.js').then((file) => file.KeyReplicas)} row=${key} path=${path} changed=${changed} readOnly=${past} />` },
      !past && { id: 'grants', label: 'Grants', show: () => html`<${Lazy} load=${() => import('./grants.js').then((file) => file.KeyGrants)} path=${path} />` },
      { id: 'history', label: 'History', show: () => html`<${History} path=${path} />` },
    ]} /></div>`;
}
