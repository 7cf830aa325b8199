/** One source key: what it is, its versions, where it is used, its history. */
import { html } from '../../view.js';
import { changed, useGet } from '../../data.js';
import { usePage } from '../../page.js';
import { query } from '../../router.js';
import { segment } from '../../lib/query.js';
import { isArchived } from '../../lib/source-key.js';
import { sourceKeyResource } from '../../lib/terraform.js';
import { plural } from '../../lib/text.js';
import { Bitting } from '../../components/charts.js';
import { Card, Chip, Empty, ErrorNote, IdLine, Name, Note, Pairs, Skeleton, State, Time, now } from '../../components/bits.js';
import { Facts, Head, Tabs } from '../../components/head.js';
import { History } from '../../components/history.js';
import { Instead, ReadOnly, TimeBar } from '../../components/timebar.js';
import { NotFound } from '../not-found.js';
import { SourceKeyActs } from './acts.js';

/** @param {{id: string}} props */
export function SourceKeyDetail({ id }) {
  const path = `/vault/keys2/${segment(id)}`;
  const read = useGet(path, { at: query.value.at });
  const key = read.data;
  const past = query.value.at !== undefined;
  const uses = useGet(key && !past ? `${path}/uses` : null, { limit: 100 });
  usePage({ title: key?.name ?? 'Source key', crumbs: [{ label: 'Source keys', href: '/vault/keys2' }, { label: key?.name ?? id.slice(0, 8) }], terraform: key && sourceKeyResource(key), past: true });
  if (read.error?.status === 404 && !past) return html`<${NotFound} what="source key" list="/vault/keys2" />`;
  const bar = past && html`<${TimeBar} path=${path} name=${key?.name ?? id.slice(0, 8)} begun=${key?.createdAt ?? ''} />`;
  if (!key || (past && read.error)) return html`<${Instead} bar=${bar} read=${read} rows=${6} />`;
  const used = uses.data?.total ?? 0;
  const done = (/** @type {any} */ answer) => {
    if (!answer) return;
    read.reload();
    changed('/vault/keys2');
  };
  const archived = isArchived(key, now.value);
  return html`${bar}<div class="page"><${Head} title=${html`<bdi>${key.name}</bdi>`} beside=${html`<${State} state=${archived ? 'archived' : key.state} /><${Chip}>version ${key.version}<//>${key.unexportable && html`<${Chip}>unexportable<//>`}${key.undeletable && html`<${Chip}>undeletable<//>`}`} sub=${html`<${IdLine} text=${key.id} what="the id" />`}
      actions=${past ? html`<${ReadOnly} />` : html`<${SourceKeyActs} row=${key} path=${path} used=${used} done=${done} />`} />
    <${Facts} of=${[['Algorithm', html`<span class="mono">${key.algorithm} ${key.size ?? key.curveid ?? ''}</span>`], ['Fingerprint', html`<span class="row"><${Bitting} hash=${key.sha256Fingerprint ?? ''} /><${IdLine} text=${key.sha256Fingerprint ?? ''} short what="the fingerprint" /></span>`], ['Made', key.origin === 'generated' ? 'here' : 'brought'], ['Exported', key.neverExported ? 'never' : 'yes'], !past && ['Used', uses.data ? `in ${plural(used, 'place')}` : '…'], ['Since', html`<${Time} at=${key.createdAt} />`]]} />
    <${Tabs} tabs=${[
      !past && { id: 'uses', label: 'Where it is used', count: uses.data?.total, show: () => html`<${Uses} read=${uses} />` },
      !past && { id: 'versions', label: 'Versions', show: () => html`<${Versions} path=${path} present=${key.id} />` },
      { id: 'summary', label: 'Summary', show: () => html`<div class="body"><div class="columns even"><${Card} title="Dates"><${Pairs} of=${['activationDate', 'processStartDate', 'protectStopDate', 'deactivationDate', 'compromiseDate', 'archiveDate', 'destroyDate'].map((member) => (key[member] ? [member, html`<${Time} at=${key[member]} />`] : null))} /><//><${Card} title="What it is"><${Pairs} of=${[['Description', key.description ? html`<bdi>${key.description}</bdi>` : null], ['Type', key.objectType], key.revocationReason && ['Revoked', html`<span>${key.revocationReason}${key.revocationMessage && html`: <bdi>${key.revocationMessage}</bdi>`}</span>`], ['UUID', html`<${IdLine} text=${key.uuid ?? ''} />`], ['Aliases', (key.aliases ?? []).map((/** @type {any} */ one) => one.alias ?? one).join(', ') || null], ['Labels', Object.entries(key.labels ?? {}).map(([name, value]) => `${name}=${value}`).join(', ') || null]]} /><//></div></div>` },
      { id: 'history', label: 'History', show: () => html`<${History} path=${path} />` },
    ]} /></div>`;
}

const KINDS = /** @type {Record<string, string>} */ ({ material: 'material of an AWS key', hyok_version: 'a HYOK key', virtual_key: 'a virtual key', health_check: 'health check of a key store' });

/** @param {{read: import('../../data.js').Read}} props */
function Uses({ read }) {
  if (read.error) return html`<div class="body">${read.error.status === 404 ? html`<${Note}>This server does not list uses.<//>` : html`<${ErrorNote} error=${read.error} again=${read.reload} />`}</div>`;
  const rows = read.data?.resources ?? [];
  return html`<div class="body">${read.data && rows.length === 0 ? html`<${Empty} icon="folder-key" title="Nothing uses it">It was brought to no key, and serves none here.<//>` : html`<${Card} title="Uses" flush><table class="table" aria-label="Uses"><thead><tr><th>Where</th><th>As</th><th>Version</th><th>KMS, region</th><th>Since</th></tr></thead><tbody>${rows.map((/** @type {any} */ one, /** @type {number} */ i) => html`<tr key=${i}><td>${one.key_id ? html`<a class="accent" href=${one.kind === 'virtual_key' ? `/cckm/virtual/keys?open=${segment(one.key_id)}` : `/cckm/aws/keys/${segment(one.key_id)}`}><${Name} text=${[one.alias].flat()[0] || one.keyid || one.key_id} /></a>` : one.custom_key_store_id ? html`<a class="accent" href=${`/cckm/aws/custom-key-stores/${segment(one.custom_key_store_id)}`}><bdi>${one.custom_key_store_name}</bdi></a>` : ''}</td><td>${KINDS[one.kind] ?? one.kind}${one.current && html` <${Chip} tone="ok">current<//>`}</td><td>${one.source_key_version}</td><td class="t2">${[one.kms, one.region].filter(Boolean).join(', ')}</td><td><${Time} at=${one.imported_at} none="" /></td></tr>`)}</tbody></table><//>`}</div>`;
}

/** @param {{path: string, present: string}} props */
function Versions({ path, present }) {
  const read = useGet(`${path}/versions`, { limit: 100 });
  if (!read.data) return html`<div class="body">${read.error ? html`<${ErrorNote} error=${read.error} />` : html`<${Skeleton} rows=${3} />`}</div>`;
  return html`<div class="body"><${Card} title="Versions" sub="the newest one has the name" flush><table class="table" aria-label="Versions"><tbody>${[...read.data.resources].reverse().map((/** @type {any} */ one) => html`<tr key=${one.id}><td style=${{ width: '110px' }}><a class="accent" href=${`/vault/keys2/${segment(one.id)}`}>version ${one.version}</a>${one.id === present ? ' ·' : ''}</td><td><span class="row"><${Bitting} hash=${one.sha256Fingerprint ?? ''} /><span class="mono t3">${(one.sha256Fingerprint ?? '').slice(0, 12)}</span></span></td><td><${State} state=${one.state} /></td><td><${Time} at=${one.createdAt} /></td></tr>`)}</tbody></table><//></div>`;
}
