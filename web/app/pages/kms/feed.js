/** The history of a KMS as a line, newest first; in the past it shows where one is. */
import { html } from '../../view.js';
import { useGet } from '../../data.js';
import { query, withQuery } from '../../router.js';
import { number, plural } from '../../lib/text.js';
import { exact, feedTime, parse } from '../../lib/time.js';
import { detailOf } from '../../lib/record.js';
import { Card, Empty, Skeleton, now } from '../../components/bits.js';
import { Icon } from '../../components/icon.js';
import { HISTORY } from '../../components/timebar.js';

/** @param {{path: string, most?: number}} props most: how many records are shown */
export function HistoryFeed({ path, most = 40 }) {
  const read = useGet(`${path}/history`, HISTORY);
  const rows = /** @type {any[]} */ (read.data?.resources ?? []);
  const given = query.value.at === undefined ? null : String(query.value.at);
  const at = parse(given);
  const isLater = (/** @type {any} */ row) => given !== null && at !== null && !(row.time <= given || (parse(row.time) ?? 0) < at);
  const here = rows.filter(isLater).length;
  const from = given === null ? 0 : Math.max(0, here - Math.floor(most / 3));
  return html`<${Card} title="History" sub=${read.data && plural(read.data.total, 'record')} acts=${html`<a class="small" href=${withQuery({ tab: 'history' })}>All</a>`} flush>
    ${!read.data ? html`<div class="card-body"><${Skeleton} rows=${5} /></div>` : rows.length === 0 && html`<${Empty} icon="history" title="No records." />`}
    <ol class="line-feed">${rows.slice(from, from + most).map((row, i) => html`
      ${given !== null && from + i === here && html`<${Here} at=${given} />`}
      <li key=${row.seq} class=${isLater(row) ? 'later' : ''}><a href=${withQuery({ at: row.time })} data-tip=${exact(row.time)}><span class="cut"><b>${row.actor}</b> ${detailOf(row)}</span><span class="small t2">${feedTime(parse(row.time) ?? 0, now.value)}</span></a><span class="small t3">#${number(row.seq)}</span></li>`)}
      ${given !== null && here >= from + Math.min(most, rows.length) && html`<${Here} at=${given} />`}</ol><//>`;
}

/** @param {{at: string}} props */
const Here = ({ at }) => html`<li class="here"><${Icon} name="history" size="small" />You are here, ${exact(at).replace(/\.\d+/, '').replace(' UTC', '')}</li>`;
