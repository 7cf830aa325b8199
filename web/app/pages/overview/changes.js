/** What changed since a day: of administrators the audit log, of others what others did in AWS. */
import { html } from '../../view.js';
import { useGet } from '../../data.js';
import { query, setQuery } from '../../router.js';
import { plural } from '../../lib/text.js';
import { DAY, day, feedTime, parse, weekday } from '../../lib/time.js';
import { addressOf, nameOf, TELLING, verb } from '../../lib/record.js';
import { user } from '../../session.js';
import { Avatar, Card, Empty, ErrorNote, Name, Skeleton, now } from '../../components/bits.js';
import { Icon } from '../../components/icon.js';
import { Menu } from '../../components/popup.js';

/** The begin of the day: `since` of the query, else the last Friday. */
export function sinceOf() {
  const given = parse(query.value.since);
  if (given !== null) return new Date(given).toISOString().replace(/\.\d+Z$/, 'Z');
  const date = new Date(now.value);
  const back = (date.getUTCDay() + 2) % 7 || 7;
  return new Date(Math.floor((now.value - back * DAY) / DAY) * DAY).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Chooses since when. */
export function Since() {
  const at = Date.parse(sinceOf());
  const choices = [1, 3, 7, 30].map((days) => ({ label: days === 1 ? 'Since yesterday' : `The last ${days} days`, act: () => setQuery({ since: new Date(Math.floor((Date.now() - days * DAY) / DAY) * DAY).toISOString().slice(0, 10) }) }));
  return html`<${Menu} class="button" label=${html`Since ${weekday(at)}, ${day(at, now.value)}<${Icon} name="chevron-down" size="small" />`} items=${[...choices, { label: 'Since Friday', act: () => setQuery({ since: null }) }]} />`;
}

/** @param {{since: string}} props */
export function Changes({ since }) {
  const admin = (user.value?.groups ?? []).includes('admin');
  const records = useGet(admin ? '/audit/records' : null, { createdAfter: since, event: TELLING, limit: 9 });
  const drift = useGet(admin ? null : '/cckm/aws/drift-events', { start_time: since, limit: 9 });
  const read = admin ? records : drift;
  const rows = read.data?.resources ?? [];
  return html`<${Card} title=${`Changed since ${weekday(Date.parse(since))}`} sub=${read.data && plural(read.data.total, 'record')} acts=${admin && html`<a class="small" href=${`/audit/records?createdAfter=${encodeURIComponent(since)}`}>Audit log</a>`} flush>
    ${read.error ? html`<${ErrorNote} error=${read.error} again=${read.reload} />` : !read.data ? html`<div class="card-body"><${Skeleton} rows=${6} /></div>` : rows.length === 0 && html`<${Empty} icon="history" title="Nothing has changed since then." />`}
    <ul class="feed">${rows.map((/** @type {any} */ row) => (admin ? html`<${RecordLine} key=${row.id} record=${row} />` : html`<${DriftLine} key=${row.id} row=${row} />`))}</ul><//>`;
}

/** @param {{record: any}} props */
function RecordLine({ record }) {
  const outside = record.event === 'Vanished';
  const href = addressOf(record);
  const name = html`<${Name} text=${nameOf(record)} />`;
  return html`<li><span class="t2 time">${feedTime(Date.parse(record.createdAt), now.value)}</span>${outside ? html`<${Icon} name="cloud" class="warn" />` : record.user_id ? html`<${Avatar} name=${record.username} />` : html`<${Icon} name="calendar-clock" />`}
    <span class="cut">${outside ? html`<b class="warn">In AWS</b>` : html`<bdi class="strong">${record.username}</bdi>`} <span class="t2">${verb(record)}</span> ${href ? html`<a class="plain" href=${href}>${name}</a>` : name}</span></li>`;
}

/** @param {{row: any}} props */
function DriftLine({ row }) {
  return html`<li><span class="t2 time">${feedTime(Date.parse(row.event_time), now.value)}</span><${Icon} name="cloud" class="warn" /><span class="cut"><b class="warn">In AWS</b> <span class="t2">${row.event_name}</span> ${row.key_id && html`<a class="plain" href=${`/cckm/aws/keys/${row.key_id}`}>${row.kms}, ${row.region}</a>`}</span></li>`;
}
