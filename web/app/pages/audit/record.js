/** One record beside the list: what happened, before and after side by side, its place in the chain. */
import { html } from '../../view.js';
import { useGet } from '../../data.js';
import { query, setQuery, withQuery } from '../../router.js';
import { queryString } from '../../lib/query.js';
import { isOutside, said, whoOf } from '../../lib/audit.js';
import { addressOf } from '../../lib/record.js';
import { number, spaced } from '../../lib/text.js';
import { exact, parse } from '../../lib/time.js';
import { Chip, Copy, ErrorNote, IdLine, Skeleton } from '../../components/bits.js';
import { Bitting } from '../../components/charts.js';
import { SidePanel } from '../../components/head.js';
import { Icon } from '../../components/icon.js';
import { Difference, Json } from '../../components/json.js';

/** Objects whose past the API shows. */
const HAS_PAST = /^(key|kms|connection|source-key|template)\//;

/** @param {{id: string, previous: (() => void) | null, next: (() => void) | null}} props */
export function RecordPanel({ id, previous, next }) {
  const read = useGet(`/audit/records/${encodeURIComponent(id)}`);
  const record = read.data;
  const title = /^\d+$/.test(id) ? `Record ${number(Number(id))}` : 'Failed attempt';
  return html`<${SidePanel} title=${title} wide previous=${previous} next=${next} beside=${record && html`<${Marks} record=${record} />`}>
    ${read.error ? html`<div class="panel-body">${read.error.status === 404 ? html`<p class="t2">There is no such record.</p>` : html`<${ErrorNote} error=${read.error} again=${read.reload} />`}</div>`
      : !record ? html`<div class="panel-body"><${Skeleton} rows=${6} /></div>` : html`<${Inside} record=${record} />`}<//>`;
}

/** @param {{record: any}} props */
function Marks({ record }) {
  if (isOutside(record)) return html`<${Chip} tone="warn">in AWS, not through Claviger<//>`;
  if (record.success === false) return html`<${Chip} tone="danger">refused<//>`;
  if (record.severity === 'warning') return html`<${Chip} tone="warn">deleted or exported<//>`;
  return null;
}

/** @param {{record: any}} props */
function Inside({ record }) {
  const words = said(record);
  const address = addressOf(record);
  const details = record.details ?? {};
  const name = html`<bdi class="strong">${words.name}</bdi>`;
  /** @type {Array<[string, any]>} */
  const facts = [
    ['Happened', html`<time datetime=${record.createdAt} data-tip=${exact(record.createdAt)}>${exact(record.createdAt).replace(/\.\d+/, '')}</time>`],
    ['From', record.clientIP ? html`<span class="mono">${record.clientIP}</span>` : null],
    ['Resource', address ? html`<a href=${address}><bdi class="cut">${record.resource_name ?? record.resource}</bdi></a>` : html`<bdi class="cut">${record.resource_name ?? record.resource}</bdi>`],
    ['Request', record.requestId ? html`<${IdLine} text=${record.requestId} short what="the request id" />` : null],
    ['Event', spaced(record.event)],
    ['Session', record.session_id ? html`<${IdLine} text=${record.session_id} short what="the session" />` : null],
  ];
  const shown = facts.filter(([, value]) => value !== null);
  const both = record.before !== undefined || record.after !== undefined;
  const past = address && HAS_PAST.test(record.resource) && record.number !== null;
  return html`<div class="panel-body record">
      <p class="sentence break"><bdi class="strong">${whoOf(record) || (record.number === null ? 'Somebody' : 'Claviger')}</bdi> <span class=${words.refused ? 'danger' : ''}>${words.verb}</span> ${address ? html`<a class="plain" href=${address}>${name}</a>` : name}${words.more && `${record.event === 'LoginFailed' ? ' ' : ': '}${words.more}`}.</p>
      <dl class="pairs four">${shown.map(([label, value]) => html`<dt>${label}</dt><dd>${value}</dd>`)}</dl>
      ${both && !isEmpty(record.before, record.after) ? html`<${Difference} before=${pretty(record.before)} after=${pretty(record.after)} />` : Object.keys(details).length > 0 && html`<div class="details-box"><${Json} value=${details} label="the details" copy=${false} /></div>`}
      <div class="row wrap">${past && html`<a class="button small" href=${address + queryString({ at: record.createdAt })}><${Icon} name="history" size="small" />See it at that time</a>`}${past && record.resource.startsWith('key/') && record.before?.policy && html`<a class="button small" href=${address + queryString({ tab: 'policy', at: new Date((parse(record.createdAt) ?? 0) - 1).toISOString() })}><${Icon} name="undo-2" size="small" />Put the policy of before back…</a>`}
        ${record.requestId && html`<a class="button small quiet" href=${withQuery({ requestId: record.requestId, skip: null })}>All of this request</a>`}<span class="end small t2 row">JSON<${Copy} text=${JSON.stringify(record, null, 2)} what="the record as JSON" /></span></div></div>
    ${record.hash && html`<${Place} record=${record} />`}`;
}

/** Nothing to compare: what changed has no state of its own. @param {any} before @param {any} after */
const isEmpty = (before, after) => Object.keys(before ?? {}).length === 0 && Object.keys(after ?? {}).length === 0;

/** JSON with sorted members and short lists in one line, so that both sides have them alike; nothing for what is not there. @param {any} value */
function pretty(value) {
  if (value === undefined || value === null || Object.keys(value).length === 0) return '';
  const sorted = (/** @type {any} */ _, /** @type {any} */ one) => (one && typeof one === 'object' && !Array.isArray(one) ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1))) : one);
  return JSON.stringify(value, sorted, 2).replace(/\[\n\s+("[^"{}[\]]{0,24}"(?:,\n\s+"[^"{}[\]]{0,24}"){0,2})\n\s+\]/g, (_, inside) => `[${inside.replace(/\n\s+/g, ' ')}]`);
}

/** The record between its neighbours, each with its hash. @param {{record: any}} props */
function Place({ record }) {
  const after = useGet('/audit/records', { after: record.number, sort: 'number', limit: 1 });
  const next = after.data?.resources?.find((/** @type {any} */ one) => one.number === record.number + 1);
  const to = (/** @type {number} */ id) => ({ href: withQuery({ open: id }), onClick: (/** @type {any} */ event) => { event.preventDefault(); setQuery({ open: String(id) }); } });
  return html`<div class="place"><h3 class="small t2">Its place in the chain</h3><div class="links">
    ${record.number > 1 ? html`<a class="link-of" ...${to(record.number - 1)}><span class="small t2">before</span><${Bitting} hash=${record.previousHash} teeth=${24} width=${92} height=${22} /><span class="small"><b>#${number(record.number - 1)}</b> <span class="mono t2">${record.previousHash.slice(0, 8)}</span></span></a>` : html`<span class="small t2">the first record</span>`}
    <i></i><div class="link-of this"><span class="small t2">this record</span><${Bitting} hash=${record.hash} teeth=${32} width=${124} height=${28} /><span class="small"><b>#${number(record.number)}</b> <span class="mono t2">${record.hash.slice(0, 8)}</span><${Copy} text=${record.hash} what="the hash" /></span></div><i></i>
    ${next ? html`<a class="link-of" ...${to(next.number)}><span class="small t2">after</span><${Bitting} hash=${next.hash} teeth=${24} width=${92} height=${22} /><span class="small"><b>#${number(next.number)}</b> <span class="mono t2">${next.hash.slice(0, 8)}</span></span></a>` : html`<span class="small t2">${after.loading ? '' : 'the newest'}</span>`}</div>
    <p class="small t2">Each record holds the hash of the one before it. The shapes are the hashes, cut as keys: change a byte and every later shape is another.</p></div>`;
}

/** `/audit/records/{id}` leads to the list with the record opened. @param {{id: string}} props */
export function OpenRecord({ id }) {
  queueMicrotask(() => import('../../router.js').then(({ go }) => go(`/audit/records${queryString({ ...query.value, open: id })}`, { replace: true })));
  return html`<div class="body"><${Skeleton} /></div>`;
}
