/** Reports: list, rows as a table with bars, CSV; a new one. */
import { html, useEffect, useState } from '../../view.js';
import { api, saveFile } from '../../api.js';
import { changed, useGet } from '../../data.js';
import { usePage } from '../../page.js';
import { go } from '../../router.js';
import { segment } from '../../lib/query.js';
import { number } from '../../lib/text.js';
import { lacksAnywhere } from '../../rights.js';
import { ask } from '../../components/dialog.js';
import { showError } from '../../components/over.js';
import { Chip, Empty, ErrorNote, Name, Note, Skeleton, State, Time } from '../../components/bits.js';
import { FormNote, SelectField, TextField, useForm, useOffered } from '../../components/form.js';
import { Facts, Head } from '../../components/head.js';
import { Icon } from '../../components/icon.js';
import { List } from '../../components/list/list.js';
import { Button } from '../../components/popup.js';
import { AsCode } from '../../frame/api-menu.js';
import { NotFound } from '../not-found.js';

const KINDS = /** @type {Array<[string, string, string]>} */ ([['key-report', 'Events', 'a row for each event on a key'], ['service-report', 'Uses', 'a row for each use of keys by a service and a principal'], ['key-aging', 'Age', 'a row for each key'], ['reconciliation-report', 'Differences', 'between AWS and what is here']]);
const kindWords = (/** @type {string} */ kind) => KINDS.find(([id]) => id === kind)?.[1] ?? kind;

/** @type {import('../../components/list/table.js').Column[]} */
const COLUMNS = [
  { id: 'name', title: 'Name', sort: 'name', cell: (row) => html`<${Name} text=${row.name} />`, second: (row) => kindWords(row.report_type) },
  { id: 'kind', title: 'Of', width: 120, leaves: 2, cell: (row) => html`<${Chip}>${kindWords(row.report_type)}<//>` },
  { id: 'state', title: 'State', width: 150, cell: (row) => html`<${State} state=${row.overall_status} />` },
  { id: 'rows', title: 'Rows', width: 90, end: true, cell: (row) => number(row.progress?.rows ?? 0) },
  { id: 'kms', title: 'KMSs', width: 190, leaves: 1, cell: (row) => html`<span class="t2 cut">${[...new Set((row.cloud_watch_params ?? []).map((/** @type {any} */ one) => one.kms))].join(', ')}</span>` },
  { id: 'created', title: 'Made', width: 150, sort: 'createdAt', cell: (row) => html`<${Time} at=${row.createdAt} />` },
];

export function ReportList() {
  usePage({ title: 'Reports' });
  return html`<div class="page full"><${Head} title="Reports" actions=${html`<${Button} class="ink" icon="plus" kbd="C" missing=${lacksAnywhere('reportcreate')} onClick=${() => go('/cckm/aws/reports?new=1')}>Make a report<//>`} />
    <${List} path="/cckm/aws/reports" noun=${['report', 'reports']} sort="-createdAt" every=${5000} search=${{ name: 'name', placeholder: 'Name, or with *' }} href=${(/** @type {any} */ row) => `/cckm/aws/reports/${segment(row.id)}`}
      columns=${COLUMNS}
      filters=${[{ name: 'report_type', title: 'Of', many: true, options: KINDS.map(([id, words]) => [id, words]) }, { name: 'overall_status', title: 'State', options: [['in_progress', 'in progress'], ['completed', 'completed'], ['error', 'failed']] }]}
      empty=${html`<${Empty} icon="file-chart-column" title="No report yet">What happened to keys, who used them, how old they are, where AWS differs.<br /><a href="/cckm/aws/reports?new=1">Make a report</a><//>`} /></div>`;
}

/** @param {{id: string}} props */
export function ReportDetail({ id }) {
  const path = `/cckm/aws/reports/${segment(id)}`;
  const read = useGet(path, {}, { every: 3000 });
  const report = read.data;
  usePage({ title: report?.name ?? 'Report', crumbs: [{ label: 'Reports', href: '/cckm/aws/reports' }, { label: report?.name ?? id.slice(0, 8) }] });
  if (read.error?.status === 404) return html`<${NotFound} what="report" list="/cckm/aws/reports" />`;
  if (!report) return html`<div class="body">${read.error ? html`<${ErrorNote} error=${read.error} again=${read.reload} />` : html`<${Skeleton} rows=${6} />`}</div>`;
  const save = async (/** @type {string} */ format) => {
    try {
      const { blob, name } = await api.download(`${path}/download`, { format });
      saveFile(blob, name.includes('.') ? name : `${report.name}.${format}`);
    } catch (error) {
      showError(error);
    }
  };
  const drop = () => ask({ title: `Delete the report ${report.name}?`, act: 'Delete the report', keep: 'Keep it', text: 'Its rows go with it. It can be made again for the same time as long as CloudTrail keeps the events.', run: (_, api) => api.delete(path), dry: true }).then((answer) => answer && (changed('/cckm/aws/reports'), go('/cckm/aws/reports')));
  const done = report.overall_status !== 'in_progress';
  return html`<div class="page full"><${Head} title=${html`<bdi>${report.name}</bdi>`} beside=${html`<${State} state=${report.overall_status} /><${Chip}>${kindWords(report.report_type)}<//>`} actions=${html`<button type="button" class="button" disabled=${!done} onClick=${() => save('csv')}><${Icon} name="download" size="small" />CSV</button><button type="button" class="button" disabled=${!done} onClick=${() => save('jsonl')}>JSON lines</button><${Button} class="danger" onClick=${drop}>Delete…<//>`} />
    <${Facts} of=${[['From', html`<${Time} at=${report.start_time} />`], ['To', html`<${Time} at=${report.end_time} />`], ['KMSs', [...new Set((report.cloud_watch_params ?? []).map((/** @type {any} */ one) => one.kms))].join(', ')], ['Rows', number(report.progress?.rows ?? 0)], ['Events read', number(report.progress?.events_read ?? 0)], ['Skipped', number(report.progress?.skipped ?? 0)]]} />
    ${report.error && html`<div class="body tight"><${Note} tone="danger"><b>It failed.</b> ${report.error}<//></div>`}
    ${done ? html`<${Contents} path=${path} report=${report} />` : html`<div class="body"><${Skeleton} rows=${5} /><p class="t2">It is being made: ${number(report.progress?.rows ?? 0)} rows so far. It can be left.</p></div>`}</div>`;
}

const FIRST = /** @type {Record<string, string[]>} */ ({
  'key-report': ['event_time', 'event_name', 'origin', 'alias', 'user_identity', 'source_ip', 'error_code'], 'service-report': ['service', 'alias', 'operation', 'user_identity', 'calls', 'failures', 'last_used'],
  'key-aging': ['alias', 'key_state', 'age_days', 'rotated_at', 'next_rotation', 'valid_to', 'days_left', 'owner'], 'reconciliation-report': ['kind', 'alias', 'what', 'here', 'in_aws', 'event_time', 'user_identity'],
});

/** The rows. Numbers get a bar. @param {{path: string, report: any}} props */
function Contents({ path, report }) {
  const [most, setMost] = useState(/** @type {Record<string, number>} */ ({}));
  const names = FIRST[report.report_type] ?? [];
  const rest = ['key_id', 'aws_account_id', 'region', 'cloud_name'].filter((name) => !names.includes(name));
  const cell = (/** @type {string} */ name) => (/** @type {any} */ row) => {
    const value = row[name];
    if (value === null || value === undefined || value === '') return '';
    if (typeof value === 'number') return html`<span class="bar-cell"><span style=${{ width: `${((value / (most[name] || value || 1)) * 60).toFixed(0)}px` }} />${number(value)}</span>`;
    if (/_time$|_at$|_date$|_to$|_used$|next_rotation/.test(name)) return html`<${Time} at=${value} none="" />`;
    const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
    return html`<bdi class=${`cut ${/id$|arn|ip$/.test(name) ? 'mono' : ''}`} data-tip-cut=${text}>${text}</bdi>`;
  };
  const columns = [...names, ...rest].map((name, i) => ({ id: name, title: name.replaceAll('_', ' ').replace(/^./, (letter) => letter.toUpperCase()), sort: name, cell: cell(name), width: name === 'alias' || /_time$|name$|identity$|^(what|here|in_aws)$/.test(name) ? undefined : 120, hidden: i >= names.length, leaves: i > 3 ? 2 : undefined }));
  const onRead = (/** @type {any} */ answer) => {
    const found = Object.fromEntries(names.map((name) => [name, Math.max(0, ...answer.resources.map((/** @type {any} */ row) => (typeof row[name] === 'number' ? row[name] : 0)))]));
    if (JSON.stringify(found) !== JSON.stringify(most)) setMost(found);
  };
  return html`<${List} path=${`${path}/contents`} noun=${['row', 'rows']} columns=${columns} id=${(/** @type {any} */ row) => JSON.stringify(row)} onRead=${onRead} filters=${[{ name: 'key_arn', title: 'Key (ARN)' }, { name: 'region', title: 'Region' }, { name: 'aws_account_id', title: 'Account' }]} empty=${html`<${Empty} icon="file-chart-column" title="The report has no rows">Nothing of its kind happened in its time, or nothing that you may see.<//>`} />`;
}

export function ReportForm() {
  const form = useForm('report', { name: '', report_type: 'key-aging', kms: '', region: '', log_group: '', start: '', end: '' });
  const { values } = form;
  const kms = useGet('/cckm/aws/kms', { limit: 200, sort: 'name' });
  const [groups, setGroups] = useState(/** @type {string[] | null} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  const chosen = (kms.data?.resources ?? []).find((/** @type {any} */ one) => one.name === values.kms);
  useOffered(form, 'region', chosen?.regions, true);
  // The log groups that were listed are of one KMS and region.
  useEffect(() => setGroups(null), [values.kms, values.region]);
  const needs = ['service-report', 'reconciliation-report'].includes(values.report_type);
  const reads = values.report_type !== 'key-aging';
  const body = { name: values.name, report_type: values.report_type, ...(values.start && { start_time: `${values.start}T00:00:00Z` }), ...(values.end && { end_time: `${values.end}T00:00:00Z` }), cloud_watch_params: [{ kms: values.kms, ...(reads && values.log_group && { log_group_region: values.region, log_group_name: values.log_group }) }] };
  const call = { method: 'POST', path: '/cckm/aws/reports', query: {}, body };
  usePage({ title: 'Make a report', crumbs: [{ label: 'Reports', href: '/cckm/aws/reports' }, { label: 'Make a report' }], call });
  form.fields.add('log_group_name').add('start_time').add('end_time');
  const find = async () => {
    setError(null);
    try {
      const answer = await api.post('/cckm/aws/get-log-groups', { kms: values.kms, region: values.region, cloud_watch_params: { limit: 50 } });
      setGroups((answer.logGroups ?? []).map((/** @type {any} */ one) => one.logGroupName));
    } catch (failed) {
      setError(failed);
    }
  };
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const answer = await form.submit(() => api.post('/cckm/aws/reports', body));
    if (!answer) return;
    changed('/cckm/aws/reports');
    go(`/cckm/aws/reports/${segment(answer.id)}`);
  };
  return html`<form class="page" onSubmit=${save}><${Head} title="Make a report" sub=${KINDS.find(([id]) => id === values.report_type)?.[2]?.replace(/^./, (letter) => letter.toUpperCase())} /><div class="body"><div class="columns wide"><div class="column"><div class="form">
      <${TextField} form=${form} name="name" label="Name" /><${SelectField} form=${form} name="report_type" label="Of" options=${KINDS.map(([id, words, text]) => [id, `${words}: ${text}`])} /><${SelectField} form=${form} name="kms" label="KMS" none="Choose a KMS" options=${(kms.data?.resources ?? []).map((/** @type {any} */ one) => [one.name, one.name])} />
      ${reads && html`<${SelectField} form=${form} name="region" label="Region of the log group" none=${needs ? 'Choose a region' : 'No log group'} options=${(chosen?.regions ?? []).map((/** @type {string} */ one) => [one, one])} />
        ${groups ? html`<${SelectField} form=${form} name="log_group" label="Log group of CloudTrail" none="Choose a log group" options=${groups.map((one) => [one, one])} />` : html`<${TextField} form=${form} name="log_group" label="Log group of CloudTrail" optional=${!needs} mono hint=${values.kms && values.region && html`<button type="button" class="link" onClick=${find}>Choose from AWS</button>`} />`}
        <${TextField} form=${form} name="start" type="date" label="From" optional="a day before the end" /><${TextField} form=${form} name="end" type="date" label="To" optional="now" />`}</div><${ErrorNote} error=${error} /><${FormNote} form=${form} /></div><section class="card"><${AsCode} call=${call} terraform=${undefined} /></section></div></div>
    <div class="foot"><span class="t2">It is made in the background, and can be left.</span><span class="grow"></span><a class="button quiet" href="/cckm/aws/reports">Leave</a><${Button} type="submit" class="ink" busy=${form.busy} disabled=${values.kms === ''}>Make the report<//></div></form>`;
}
