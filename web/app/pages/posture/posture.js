/** Posture: findings by rule and KMS, their trend, and what to do; a row opens to its keys. */
import { html, useState } from '../../view.js';
import { api, saveFile } from '../../api.js';
import { useGet } from '../../data.js';
import { usePage } from '../../page.js';
import { query, setQuery } from '../../router.js';
import { queryString, segment } from '../../lib/query.js';
import { csvCell, number, plural } from '../../lib/text.js';
import { Sparkline, Stack } from '../../components/charts.js';
import { Empty, ErrorNote, Name, Shape, Skeleton } from '../../components/bits.js';
import { Head } from '../../components/head.js';
import { Icon } from '../../components/icon.js';
import { Menu } from '../../components/popup.js';
import { showError } from '../../components/over.js';
import { underSchedule } from '../keys/bulk.js';

const TONES = /** @type {Record<string, ['square' | 'triangle' | 'ring', string, string]>} */ ({ critical: ['square', 'danger', 'danger'], high: ['square', 'danger', 'danger'], medium: ['triangle', 'warn', 'warn'], low: ['ring', 't2', 'control'] });

export function Posture() {
  usePage({ title: 'Posture' });
  const all = useGet('/cckm/aws/kms', { limit: 200, sort: 'name' });
  const read = useGet('/cckm/aws/posture', { kms: query.value.kms });
  const data = read.data;
  if (read.error) return html`<div class="body"><${ErrorNote} error=${read.error} again=${read.reload} /></div>`;
  if (!data) return html`<div class="body"><${Skeleton} rows=${8} /></div>`;
  const findings = [...(data.findings ?? [])].sort((a, b) => Number(b.keys > 0) - Number(a.keys > 0));
  const total = findings.reduce((sum, finding) => sum + finding.keys, 0);
  const kinds = findings.filter((finding) => finding.keys > 0).length;
  const kms = (data.kms ?? []).slice(0, 6);
  const csv = () => saveFile(new Blob([[['rule', 'severity', 'keys', ...kms.map((/** @type {any} */ one) => one.kms)], ...findings.map((finding) => [finding.rule, finding.severity, finding.keys, ...kms.map((/** @type {any} */ one) => countOf(one, finding.rule))])].map((row) => row.map(csvCell).join(',')).join('\r\n')], { type: 'text/csv' }), 'posture.csv');
  return html`<div class="page"><${Head} title="Posture" sub=${data.keys > 0 && html`<span>${number(data.keys - data.keys_with_findings)} of ${plural(data.keys, 'key')} have no finding. ${plural(data.keys_with_findings, 'key has', 'keys have')} ${plural(total, 'finding')} of ${plural(kinds, 'kind')}.</span>`}
      actions=${html`<span class="small t2">Worked out just now, in ${read.took} ms</span><${Menu} class="button" label=${html`${query.value.kms ?? 'All KMSs'}<${Icon} name="chevron-down" size="small" />`} items=${[{ label: 'All KMSs', act: () => setQuery({ kms: null }) }, ...(all.data?.resources ?? []).map((/** @type {any} */ one) => ({ label: one.name, act: () => setQuery({ kms: one.name }) }))]} /><button type="button" class="button" onClick=${csv}><${Icon} name="download" size="small" />CSV</button>`} />
    <div class="body">${data.keys === 0 ? html`<${Empty} icon="shield-check" title="No keys yet">When there are keys, this says how they stand.<//>` : html`
      <div class="cards posture-cards">${kms.slice(0, 4).map((/** @type {any} */ one) => html`<${KmsCard} key=${one.kms_id} one=${one} />`)}</div>
      <div class="card posture-wrap"><table class="table posture" aria-label="Findings"><thead><tr><th class="tick"></th><th>Finding</th><th class="num" style=${{ width: '64px' }}>Keys</th><th style=${{ width: '104px' }}>30 days</th>${kms.map((/** @type {any} */ one) => html`<th class="mid" style=${{ width: '92px' }} key=${one.kms_id}><bdi class="cut">${one.kms}</bdi></th>`)}<th>What to do</th></tr></thead>
        <tbody>${findings.map((finding) => html`<${Finding} key=${finding.rule} finding=${finding} kms=${kms} trend=${data.trend ?? []} />`)}</tbody></table></div>`}</div></div>`;
}

/** @param {any} one @param {string} rule */
const countOf = (one, rule) => one.findings?.find((/** @type {any} */ of) => of.rule === rule)?.keys ?? 0;

/** @param {{one: any}} props */
function KmsCard({ one }) {
  const good = one.keys - one.keys_with_findings;
  return html`<a class="plain-card" href=${`/cckm/aws/kms/${segment(one.kms_id)}`}><span class="row"><bdi class="strong cut">${one.kms}</bdi><span class="end"><${Sparkline} values=${(one.trend ?? []).map((/** @type {any} */ day) => day.keys_with_findings)} width=${64} height=${18} label=${`Keys with findings of ${one.kms}, by day`} /></span></span>
    <span class="row"><b class="figure">${number(good)}</b><span class="t2">of ${number(one.keys)} without a finding</span></span><${Stack} parts=${[{ label: 'without a finding', value: good, color: 'ok-bar' }, { label: 'with a finding', value: one.keys_with_findings, color: 'age-4' }]} /></a>`;
}

/** @param {{finding: any, kms: any[], trend: any[]}} props */
function Finding({ finding, kms, trend }) {
  const open = query.value.open === finding.rule;
  const [shape, tone, color] = TONES[finding.severity] ?? TONES.low;
  const most = Math.max(1, ...kms.map((one) => countOf(one, finding.rule)));
  const toggle = () => setQuery({ open: open ? null : finding.rule });
  const span = kms.length + 5;
  return html`<tr class=${open ? 'open-row' : ''}><td class="tick"><${Shape} shape=${shape} tone=${tone} /></td><td><button type="button" class="finding strong cut" aria-expanded=${open} disabled=${finding.keys === 0} onClick=${toggle}>${finding.title}<span class="unseen">, ${finding.severity}</span></button></td><td class="num"><b class=${finding.keys === 0 ? 't3' : ''}>${number(finding.keys)}</b></td>
      <td><${Sparkline} values=${trend.map((day) => day.findings?.[finding.rule] ?? 0)} width=${78} height=${22} tone=${tone} label=${`${finding.title}, by day`} /></td>
      ${kms.map((one) => {
        const count = countOf(one, finding.rule);
        const cell = html`<span class="heat-cell" style=${{ background: count ? `color-mix(in srgb, var(--${color}) ${10 + Math.round((count / most) * 26)}%, var(--surface))` : undefined }}>${number(count)}</span>`;
        return html`<td class="mid" key=${one.kms_id}>${count ? html`<a href=${`/cckm/aws/posture${queryString({ kms: one.kms, open: finding.rule })}`} aria-label=${`${one.kms}: ${count}`}>${cell}</a>` : cell}</td>`;
      })}<td><span class="cut t2" data-tip-cut=${finding.remedy}>${finding.remedy}</span></td></tr>
    ${open && html`<tr class="open-row"><td colspan=${span} class="inner"><${Broken} finding=${finding} /></td></tr>`}`;
}

/** The rules that a schedule mends. */
const MENDED = ['no_rotation', 'no_schedule'];

/** The keys that break a rule. @param {{finding: any}} props */
function Broken({ finding }) {
  const [most, setMost] = useState(10);
  const path = `/cckm/aws/posture/findings/${segment(finding.rule)}`;
  const read = useGet(path, { kms: query.value.kms, limit: most });
  const rows = read.data?.resources ?? [];
  const total = read.data?.total ?? 0;
  const mend = async () => {
    const all = (await api.get(path, { kms: query.value.kms, fields: 'id', limit: -1 })).resources;
    await underSchedule({ ids: all.map((/** @type {any} */ row) => row.id), rows: [], everything: false, query: {}, count: all.length, clear: read.reload });
  };
  return html`<div class="inner-card"><div class="row"><span class="t2 grow wrap-text">Rule <code>${finding.rule}</code>: ${finding.remedy}</span>
      ${MENDED.includes(finding.rule) && total > 0 && html`<button type="button" class="button small" onClick=${() => mend().catch(showError)}>Put ${plural(total, 'key')} under a schedule…</button>`}</div><${ErrorNote} error=${read.error} again=${read.reload} />
    ${!read.data && !read.error && html`<${Skeleton} rows=${3} />`}
    <ul class="broken">${rows.map((/** @type {any} */ row) => html`<li key=${row.id}><a class="plain" href=${`/cckm/aws/keys/${segment(row.id)}`}><${Name} text=${[row.alias].flat()[0] || row.keyid} /></a><span class="cut">${row.kms}, ${row.region}</span><span class="mono t2">${row.key_spec}</span><span class="t2 cut" data-tip-cut=${row.detail}>${row.detail}</span></li>`)}</ul>
    ${total > rows.length && html`<button type="button" class="button small" onClick=${() => setMost(most + 50)}>Show more <span class="t3">${number(total - rows.length)} more</span></button>`}</div>`;
}
