/** The audit log: is the chain whole, who did what; a record opens beside the list. */
import { html, signal, useRef, useState } from '../../view.js';
import { api, saveFile } from '../../api.js';
import { usePage } from '../../page.js';
import { query, setQuery } from '../../router.js';
import { apiQuery } from '../../lib/query.js';
import { isOutside, meant, recordId, said, whoOf, whoOrWhat } from '../../lib/audit.js';
import { TELLING } from '../../lib/record.js';
import { number } from '../../lib/text.js';
import { clockSeconds, day, exact, parse, weekday, DAY } from '../../lib/time.js';
import { Avatar, now } from '../../components/bits.js';
import { showError } from '../../components/over.js';
import { Head } from '../../components/head.js';
import { Icon, Mark } from '../../components/icon.js';
import { YES_NO } from '../../components/list/filters.js';
import { List } from '../../components/list/list.js';
import { Menu } from '../../components/popup.js';
import { isTablet } from '../../width.js';
import { Chain, VerifyButton } from './chain.js';
import { RecordPanel } from './record.js';

const KINDS = ['key', 'kms', 'connection', 'user', 'group', 'session', 'source-key', 'template', 'schedule', 'job', 'key-store', 'report', 'alarm', 'webhook', 'backup', 'drift'];

/** The words of resources that were searched by their names. */
const found = signal(/** @type {Array<[string, string]>} */ ([]));

/** @returns {import('../../components/list/filters.js').Filter[]} */
const filters = () => [
  { name: 'createdAfter', title: 'Since', kind: 'date' },
  { name: 'createdBefore', title: 'Until', kind: 'date' },
  { name: 'username', title: 'Who', many: true, placeholder: 'key-admin' },
  { name: 'resource', title: 'What', many: true, options: [...KINDS.map((kind) => /** @type {[string, string]} */ ([kind, kind.replace('-', ' ')])), ...found.value] },
  { name: 'event', title: 'Event', many: true, placeholder: 'AclsChanged' },
  { name: 'success', title: 'Done', options: YES_NO },
  { name: 'severity', title: 'Severity', many: true, options: [['info', 'info'], ['warning', 'warning: deleted or exported'], ['error', 'error']] },
  { name: 'service', title: 'Service', many: true, options: ['cckm', 'admin', 'vault', 'scheduler'].map((one) => [one, one]) },
  { name: 'clientIP', title: 'Address', placeholder: '10.20.4.17' },
  { name: 'requestId', title: 'Request', placeholder: 'its id' },
];

const VIEWS = [
  { title: 'Everything', query: {} },
  { title: 'Changes', query: { event: TELLING } },
  { title: 'Refused', query: { success: 'false' } },
  { title: 'Deleted or exported', query: { severity: 'warning' } },
  { title: 'Sign-ins', query: { event: ['LoggedIn', 'LoginFailed', 'LoginRefused'] } },
];

/** Today the time, within a week the weekday too, else the day. @param {{at: string}} props */
function When({ at }) {
  const when = parse(at) ?? 0;
  const today = new Date(when).toISOString().slice(0, 10) === new Date(now.value).toISOString().slice(0, 10);
  const text = today ? clockSeconds(when) : now.value - when < 6 * DAY ? `${weekday(when)} ${clockSeconds(when).slice(0, 5)}` : day(when, now.value);
  return html`<time class="t2" datetime=${at} data-tip=${exact(at)}>${text}</time>`;
}

/** Who did it: a person, AWS, or the program itself. @param {{record: any}} props */
export function Who({ record }) {
  if (isOutside(record)) return html`<span class="row"><${Icon} name="cloud" class="warn" /><span class="warn">in AWS</span></span>`;
  const who = whoOf(record);
  if (who && (record.user_id || record.event === 'LoginFailed')) return html`<span class="row"><${Avatar} name=${who} /><bdi class="cut">${who}</bdi></span>`;
  if (record.number === null) return html`<span class="row"><${Icon} name="circle-alert" class="danger" /><bdi class="cut">${record.username || 'nobody known'}</bdi></span>`;
  return html`<span class="row">${record.username && record.username !== 'system' ? html`<${Icon} name="calendar-clock" />` : html`<${Mark} size=${16} />`}<bdi class="cut">${record.username && record.username !== 'system' ? record.username : 'Claviger'}</bdi></span>`;
}

/** @param {{record: any}} props */
export function What({ record }) {
  const words = said(record);
  return html`<span class="cut"><span class=${words.refused ? 'danger' : 't2'}>${words.verb}</span> <bdi class="strong">${words.name}</bdi>${words.more && html` <span class="t2">${words.more}</span>`}</span>`;
}

/** @type {import('../../components/list/table.js').Column[]} */
const COLUMNS = [
  { id: 'number', title: '#', width: isTablet.value ? 92 : 74, cell: (record) => html`<span class=${record.number === null ? 't3' : ''}>${record.number === null ? '' : number(record.number)}</span>`, second: (record) => html`<${When} at=${record.createdAt} />` },
  { id: 'time', title: 'Time', width: 92, leaves: 2, cell: (record) => html`<${When} at=${record.createdAt} />` },
  { id: 'who', title: 'Who', width: 164, cell: (record) => html`<${Who} record=${record} />` },
  { id: 'what', title: 'What', cell: (record) => html`<${What} record=${record} />` },
  { id: 'address', title: 'Address', width: 120, hidden: true, cell: (record) => html`<span class="mono t2">${record.clientIP}</span>` },
  { id: 'event', title: 'Event', width: 160, hidden: true, cell: (record) => html`<span class="t2">${record.event}</span>` },
  { id: 'service', title: 'Service', width: 90, hidden: true, cell: (record) => html`<span class="t2">${record.service}</span>` },
  { id: 'severity', title: 'Severity', width: 90, hidden: true, cell: (record) => html`<span class=${record.severity === 'error' ? 'danger' : record.severity === 'warning' ? 'warn' : 't2'}>${record.severity}</span>` },
  { id: 'request', title: 'Request', width: 110, hidden: true, cell: (record) => html`<span class="mono t2" data-tip=${record.requestId}>${record.requestId?.slice(0, 8)}</span>` },
];

export function AuditLog() {
  const opened = query.value.open === undefined ? null : String(query.value.open);
  const [rows, setRows] = useState(/** @type {any[]} */ ([]));
  const newest = useRef(/** @type {number | null} */ (null));
  usePage({ title: 'Audit log', crumbs: [{ label: 'Audit log', href: '/audit/records' }, ...(opened ? [{ label: /^\d+$/.test(opened) ? `#${number(Number(opened))}` : opened }] : [])], call: opened ? { path: `/audit/records/${opened}`, query: {} } : undefined });
  const onRead = (/** @type {any} */ answer) => {
    setRows((old) => {
      newest.current = old.length > 0 ? Math.max(...old.map((one) => one.number ?? 0)) : null;
      return answer.resources;
    });
  };
  const at = rows.findIndex((row) => recordId(row) === opened);
  // A record that is not on this page of the list is walked by its number; the newest is on top.
  const walk = (/** @type {-1 | 1} */ step) => {
    const to = at >= 0 ? rows[at + step] && recordId(rows[at + step]) : opened !== null && /^\d+$/.test(opened) && Number(opened) - step > 0 ? String(Number(opened) - step) : null;
    return to ? () => setQuery({ open: to }) : null;
  };
  return html`<div class="page full"><${Head} title="Audit log" actions=${html`<a class="button" href="/audit/checkpoints"><${Icon} name="badge-check" size="small" />Checkpoints</a><${VerifyButton} />`} />
    <${Chain} />
    <${List} path="/audit/records" noun=${['record', 'records']} columns=${COLUMNS} filters=${filters()} views=${VIEWS} id=${recordId} panel onRead=${onRead} field=${html`<${Field} />`} exporting=${html`<${Download} />`}
      rowClass=${(/** @type {any} */ row) => (newest.current !== null && row.number > newest.current ? 'fresh' : '')}
      beside=${opened && html`<${RecordPanel} key="panel" id=${opened} previous=${walk(-1)} next=${walk(1)} />`} /></div>`;
}

/** The field over the log: what is meant by the text is decided when Enter is pressed; what may be who or what is searched for. */
function Field() {
  const [text, setText] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    /** @type {Record<string, any>} */
    let members = meant(text);
    if (busy || Object.keys(members).length === 0) return;
    if (members.username !== undefined) {
      setBusy(true);
      try {
        const name = text.trim();
        members = whoOrWhat(name, (await api.get('/search', { q: name.replace(/^alias\//, ''), limit: 100 })).resources);
        const fresh = (members.resource ?? []).filter((/** @type {string} */ one) => !found.value.some(([known]) => known === one));
        found.value = [...found.value, ...fresh.map((/** @type {string} */ one) => [one, `${one.split('/')[0].replace('-', ' ')} ${name}`])];
      } catch (error) {
        await showError(error);
        return;
      } finally {
        setBusy(false);
      }
    }
    setQuery({ ...(members.resource && { username: null }), ...(members.username && { resource: null }), ...members, skip: null }, { push: members.open !== undefined });
    setText('');
  };
  return html`<form onSubmit=${submit} role="search"><div class="input search"><${Icon} name="search" /><input type="search" data-search aria-label="Search" placeholder="Who, what, record, address" value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)} autocomplete="off" spellcheck="false" /><kbd aria-hidden="true">${text === '' ? '/' : 'Enter'}</kbd></div></form>`;
}

/** The log as the server writes it to a file: everything that matches. */
function Download() {
  const save = async (/** @type {string} */ accept, /** @type {string} */ name) => {
    try {
      const { skip, limit, ...filters } = apiQuery(query.value);
      const file = await api.download('/audit/records/download', filters, accept);
      saveFile(file.blob, file.name.includes('.') ? file.name : name);
    } catch (error) {
      await showError(error);
    }
  };
  return html`<${Menu} class="button small" name="Export" label=${html`<${Icon} name="download" size="small" />${!isTablet.value && 'Export'}`} items=${[
    { label: 'CSV of all that match', icon: 'file-chart-column', act: () => save('text/csv', 'audit-records.csv') },
    { label: 'JSON lines of all that match', icon: 'file-braces', act: () => save('application/x-ndjson', 'audit-records.ndjson') },
  ]} />`;
}
