/** What needs attention, the worst first; each row leads to the list behind its number. */
import { html, useState } from '../../view.js';
import { useGet } from '../../data.js';
import { queryString } from '../../lib/query.js';
import { number, plural, spaced } from '../../lib/text.js';
import { Card, Empty, Shape } from '../../components/bits.js';
import { user } from '../../session.js';

/** @type {Record<string, [number, string]>} rank and shape of a severity */
const SEVERITIES = { critical: [0, 'square'], high: [1, 'square'], medium: [2, 'triangle'], low: [3, 'ring'] };
const SHORT = {
  policy_everyone: 'A policy that names everyone', policy_other_accounts: 'A policy names other accounts', material_expiring: 'Imported material expires', material_missing: 'Waits for material', pending_deletion: 'Deletion is scheduled',
  policy_by_condition: 'A policy opened by a condition', policy_deleted_principals: 'A policy names people who are gone', policy_not_understood: 'A policy could not be read', no_rotation: 'Nothing rotates these keys', no_schedule: 'No schedule covers them', unused_90_days: 'Not used for 90 days',
};

/** So many kinds are shown at first. */
const AT_FIRST = 8;

/** @typedef {{rank: number, shape: string, count: number, title: string, text: string, where: string, href: string}} Row */

/** @param {{posture: any, kms: any[], drift: import('../../data.js').Read}} props drift: what was changed in AWS */
export function Attention({ posture, kms, drift }) {
  const [all, setAll] = useState(false);
  const mayConnections = (user.value?.groups ?? []).some((/** @type {string} */ group) => ['admin', 'Connection Admins', 'CCKM Admins'].includes(group));
  const failing = useGet(mayConnections ? '/connectionmgmt/services/aws/connections' : null, { last_connection_ok: false, limit: 3 });
  const stores = useGet('/cckm/aws/custom-key-stores', { connection_state: 'FAILED', gone: false, limit: 20 });
  const jobs = useGet('/cckm/aws/bulkjob', { overall_status: 'failed', limit: 1 });
  const critical = useGet('/alarms', { state: 'on', severity: 'critical', limit: 100 });
  const warnings = useGet('/alarms', { state: 'on', severity: 'warning', limit: 100 });

  /** @type {Row[]} */
  const rows = (posture.findings ?? []).filter((/** @type {any} */ finding) => finding.keys > 0).map((/** @type {any} */ finding) => {
    const [rank, shape] = SEVERITIES[finding.severity] ?? [3, 'ring'];
    const hit = (posture.kms ?? []).filter((/** @type {any} */ one) => one.findings?.some((/** @type {any} */ of) => of.rule === finding.rule && of.keys > 0)).map((/** @type {any} */ one) => one.kms);
    const where = hit.length === kms.length && hit.length > 1 ? `all ${hit.length} KMSs` : hit.length > 2 ? `${hit.length} KMSs` : hit.join(', ');
    return { rank, shape, count: finding.keys, title: /** @type {any} */ (SHORT)[finding.rule] ?? finding.title, text: finding.remedy.split(/[;:.]/)[0], where, href: `/cckm/aws/posture${queryString({ open: finding.rule })}` };
  });
  for (const store of stores.data?.resources ?? []) {
    rows.push({ rank: 0.5, shape: 'square', count: 1, title: `Key store ${store.name} failed`, text: store.aws_param.connection_error_details || 'AWS cannot reach it', where: store.kms ?? '', href: `/cckm/aws/custom-key-stores/${store.id}` });
  }
  if (failing.data?.total > 0) {
    const first = failing.data.resources[0];
    rows.push({ rank: 1.5, shape: 'triangle', count: failing.data.total, title: failing.data.total === 1 ? `Connection ${first.name} fails` : 'Connections fail', text: first.last_connection_error ?? '', where: '', href: '/connectionmgmt/services/aws/connections?last_connection_ok=false' });
  }
  if (drift.data?.total > 0) rows.push({ rank: 1.2, shape: 'triangle', count: drift.data.total, title: 'Changed in AWS, not through us', text: [...new Set(drift.data.resources.map((/** @type {any} */ one) => one.event_name))].slice(0, 3).join(', '), where: [...new Set(drift.data.resources.map((/** @type {any} */ one) => one.kms))].slice(0, 2).join(', '), href: '/cckm/aws/drift-events' });
  for (const [read, severity, rank, shape, title] of /** @type {const} */ ([[critical, 'critical', 0.2, 'square', 'Open critical alarms'], [warnings, 'warning', 1.8, 'triangle', 'Open warnings']])) {
    if (!(read.data?.total > 0)) continue;
    const of = (/** @type {string} */ member) => [...new Set(read.data.resources.map((/** @type {any} */ one) => one[member]).filter(Boolean))];
    const where = of('kms');
    rows.push({ rank, shape, count: read.data.total, title, text: of('name').map((name) => spaced(String(name))).join(', '), where: where.length > 2 ? `${where.length} KMSs` : where.join(', '), href: `/alarms${queryString({ state: 'on', severity })}` });
  }
  if (jobs.data?.total > 0) rows.push({ rank: 2.5, shape: 'ring', count: jobs.data.total, title: 'Bulk jobs ended with failures', text: 'Some of their keys were refused', where: '', href: '/jobs?overall_status=failed' });
  rows.sort((a, b) => a.rank - b.rank || b.count - a.count);

  return html`<${Card} title="Needs attention" sub=${rows.length > 0 && `${plural(rows.length, 'kind')}, worst first`} acts=${html`<a class="small" href="/cckm/aws/posture">Posture</a>`} flush>
    ${rows.length === 0 ? html`<${Empty} icon="circle-check" title="Nothing needs attention." />` : html`<ul class="attention">${rows.slice(0, all ? rows.length : AT_FIRST).map((row) => html`<li key=${row.title}><a href=${row.href}>
      <${Shape} shape=${row.shape} tone=${row.shape === 'square' ? 'danger' : row.shape === 'triangle' ? 'warn' : 't2'} /><b class="count">${number(row.count)}</b><span class="title cut">${row.title}</span><span class="t2 cut">${row.text}</span><span class="t2 cut right">${row.where}</span></a></li>`)}</ul>`}
    ${rows.length > AT_FIRST && html`<div class="card-foot"><button type="button" class="link" aria-expanded=${all} onClick=${() => setAll(!all)}>${all ? 'Show fewer' : `Show ${plural(rows.length - AT_FIRST, 'more kind')}`}</button></div>`}<//>`;
}
