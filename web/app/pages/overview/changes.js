/** What changed since a day: of administrators the audit log, of others what others did in AWS. */
import { html } from '../../view.js';
import { useGet } from '../../data.js';
import { plural } from '../../lib/text.js';
import { feedTime, weekday } from '../../lib/time.js';
import { feedRows, unnamed } from '../../lib/feed.js';
import { keyName } from '../../lib/key.js';
import { TELLING } from '../../lib/record.js';
import { user } from '../../session.js';
import { Avatar, Card, Empty, ErrorNote, Name, Skeleton, now } from '../../components/bits.js';
import { Icon } from '../../components/icon.js';

/** The names of keys that rows have only by their ids. @param {import('../../lib/feed.js').Row[]} rows @returns {Record<string, string>} */
function useNames(rows) {
  const ids = [...new Set(unnamed(rows))].sort();
  const read = useGet(ids.length > 0 ? '/cckm/aws/keys' : null, { id: ids, fields: 'id,aws_param.Alias,aws_param.KeyID', limit: ids.length });
  return Object.fromEntries((read.data?.resources ?? []).map((/** @type {any} */ row) => [row.id, keyName(row)]));
}

/** @param {{since: string, drift: import('../../data.js').Read}} props drift: what was changed in AWS since then */
export function Changes({ since, drift }) {
  const admin = (user.value?.groups ?? []).includes('admin');
  const records = useGet(admin ? '/audit/records' : null, { createdAfter: since, event: TELLING, limit: 40 });
  const read = admin ? records : drift;
  const rows = feedRows(records.data?.resources ?? [], drift.data?.resources ?? [], 9);
  const names = useNames(rows);
  const total = (records.data?.total ?? 0) + (drift.data?.total ?? 0);
  return html`<${Card} title=${`Changed since ${weekday(Date.parse(since))}`} sub=${read.data && plural(total, 'record')} acts=${admin && html`<a class="small" href=${`/audit/records?createdAfter=${encodeURIComponent(since)}`}>Audit log</a>`} flush>
    ${read.error ? html`<${ErrorNote} error=${read.error} again=${read.reload} />` : !read.data ? html`<div class="card-body"><${Skeleton} rows=${6} /></div>` : rows.length === 0 && html`<${Empty} icon="history" title="Nothing has changed since then." />`}
    <ul class="feed">${rows.map((row) => html`<${Line} key=${row.id} row=${row} name=${names[row.of[0]] !== undefined && row.of.length === 1 ? names[row.of[0]] : row.name} />`)}</ul><//>`;
}

/** @param {{row: import('../../lib/feed.js').Row, name: string}} props */
function Line({ row, name }) {
  const shown = html`<${Name} text=${name} />`;
  return html`<li><span class="t2 time">${feedTime(row.at, now.value)}</span>${row.outside ? html`<${Icon} name="cloud" class="warn" />` : row.byUser ? html`<${Avatar} name=${row.who} />` : html`<${Icon} name="calendar-clock" />`}
    <span class="cut">${row.outside ? html`<b class="warn">In AWS</b>` : html`<bdi class="strong">${row.who}</bdi>`} <span class="t2">${row.verb}</span> ${row.href ? html`<a class="plain" href=${row.href}>${shown}</a>` : shown}</span></li>`;
}
