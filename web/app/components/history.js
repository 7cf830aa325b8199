/** The history of an object as a time line, newest first; each entry leads to the object as it was then. */
import { html, useState } from '../view.js';
import { useGet } from '../data.js';
import { number, plural } from '../lib/text.js';
import { lacksRight } from '../rights.js';
import { withQuery } from '../router.js';
import { queryString } from '../lib/query.js';
import { detailOf, nameOf, verb } from '../lib/record.js';
import { PLACES } from '../lib/places.js';
import { exact, feedTime, parse } from '../lib/time.js';
import { Avatar, Card, Empty, ErrorNote, Skeleton, Time, now } from './bits.js';

/**
 * What a record says: of the object itself, or of another one that has it, as a group has a user; that one is named.
 * @param {{path: string, row: any, first?: boolean}} props path: of the object; first: at the start of a line
 */
function Said({ path, row, first }) {
  const own = path.startsWith(`${PLACES[String(row.resource).split('/')[0]]}/`);
  const words = own ? detailOf(row) : verb(row);
  return html`${first ? words.replace(/^./, (letter) => letter.toUpperCase()) : words}${!own && html` <bdi>${nameOf(row)}</bdi>`}`;
}

/** @param {{path: string}} props path: of the object */
export function History({ path }) {
  const [limit, setLimit] = useState(50);
  const read = useGet(`${path}/history`, { sort: '-seq', limit });
  const rows = read.data?.resources ?? [];
  // The records themselves are for administrators.
  const hidden = lacksRight('admin');
  return html`<div class="body"><${Card} title="History" sub=${read.data && plural(read.data.total, 'event')} flush>
    ${read.error ? html`<${ErrorNote} error=${read.error} again=${read.reload} />` : !read.data ? html`<div class="card-body"><${Skeleton} rows=${6} /></div>` : rows.length === 0 && html`<${Empty} title="Nothing has happened yet." />`}
    <table class="table"><tbody>${rows.map((/** @type {any} */ row) => html`<tr key=${row.seq}><td class="t3 num" style=${{ width: '90px' }}>${hidden ? `#${number(row.seq)}` : html`<a href=${`/audit/records/${row.seq}`}>#${number(row.seq)}</a>`}</td><td style=${{ width: '190px' }}><${Time} at=${row.time} /></td><td style=${{ width: '190px' }}><span class="row"><${Avatar} name=${row.actor} /><bdi class="cut">${row.actor}</bdi></span></td>
      <td><span class="cut"><${Said} path=${path} row=${row} first /></span></td><td class="right" style=${{ width: '140px' }}><a class="link" href=${withQuery({ at: row.time, tab: null })}>As it was then</a></td></tr>`)}</tbody></table>
    ${read.data && read.data.total > rows.length && html`<div class="card-foot"><button type="button" class="link" onClick=${() => setLimit(limit + 200)}>Show more</button></div>`}<//></div>`;
}

/**
 * The last events of an object, for its panel.
 * @param {{path: string, resource: string, self?: string}} props resource: its name in the audit log; self: an actor who is not named
 */
export function Lately({ path, resource, self }) {
  const rows = useGet(`${path}/history`, { sort: '-seq', limit: 8 }).data?.resources ?? [];
  return html`<section><h3 class="row">Lately${!lacksRight('admin') && html`<a class="small end" href=${`/audit/records${queryString({ resource })}`}>All of it</a>`}</h3>
    <ul class="plain">${rows.map((/** @type {any} */ row) => html`<li key=${row.seq} class="row"><span class="t2 time" data-tip=${exact(row.time)}>${feedTime(parse(row.time) ?? 0, now.value)}</span><span class="cut">${row.actor !== self && html`<bdi class="medium">${row.actor}</bdi> `}<${Said} path=${path} row=${row} /></span></li>`)}</ul></section>`;
}
