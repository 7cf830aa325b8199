/**
 * A whole list page's inside: views, search, filters, columns, export, table, pager, bulk bar. All of it is done by the server; the
 * address has the state. See docs/console.md for an example.
 */
import { html, useEffect, useMemo, useRef, useState } from '../../view.js';
import { query, setQuery } from '../../router.js';
import { api } from '../../api.js';
import { useGet } from '../../data.js';
import { listQuery } from '../../lib/query.js';
import { number, plural } from '../../lib/text.js';
import { isTablet } from '../../width.js';
import { Empty, ErrorNote } from '../bits.js';
import { Icon } from '../icon.js';
import { BulkBar } from './bulk.js';
import { Columns, shownColumns } from './columns.js';
import { ExportMenu } from './export.js';
import { Filters } from './filters.js';
import { Pager } from './pager.js';
import { Table } from './table.js';
import { Views } from './views.js';

/**
 * @typedef {object} ListProps
 * @property {string} path of the API: the list
 * @property {Record<string, any>} [fixed] members of the query that are always sent, such as the KMS of a tab
 * @property {[string, string]} noun "key", "keys"
 * @property {import('./table.js').Column[]} columns the first one is the name, which links
 * @property {import('./filters.js').Filter[]} [filters]
 * @property {{name?: string, placeholder: string} | null} [search] the API's member to search by; null for none
 * @property {string} [sort] the sort if the address has none
 * @property {(row: any) => string} [href]
 * @property {(row: any) => string} [id]
 * @property {Array<import('./views.js').View>} [views]
 * @property {(chosen: import('./bulk.js').Chosen) => any} [bulk] the acts of the bulk bar
 * @property {boolean} [panel] rows open the side panel: `open` of the query
 * @property {any} [beside] the side panel itself, beside the table
 * @property {any} [field] a field in place of the search
 * @property {any} [exporting] in place of the export that reads page by page
 * @property {any} [empty] what is shown if there is nothing at all
 * @property {boolean} [two] rows of two lines
 * @property {number} [every] milliseconds after which the list is read again
 * @property {(answer: any) => void} [onRead]
 * @property {(row: any) => string} [rowClass]
 */

/** @param {ListProps} props */
export function List({ path, fixed = {}, noun, columns, filters = [], search, sort, href, id = (row) => row.id, views = [], bulk, panel, empty, two, every, onRead, rowClass, beside, field, exporting }) {
  const box = useRef(/** @type {any} */ (null));
  const [fit, setFit] = useState(0);
  const [selected, setSelected] = useState(/** @type {Set<string>} */ (new Set()));
  const [everything, setEverything] = useState(false);
  const asked = listQuery(query.value);
  const order = asked.sort ?? sort;
  const tall = two || (isTablet.value && columns.some((column) => column.second));

  useEffect(() => {
    const measure = () => setFit(Math.max(10, Math.floor(((box.current?.clientHeight ?? 640) - 32) / (tall ? 52 : 36))));
    measure();
    addEventListener('resize', measure);
    return () => removeEventListener('resize', measure);
  }, [tall]);

  const limit = Number(asked.limit ?? fit);
  const skip = Number(asked.skip ?? 0);
  const wanted = { sort: order, ...asked, ...fixed, skip: skip || undefined, limit };
  const read = useGet(fit === 0 ? null : path, wanted, { every });
  const matching = useMemo(() => JSON.stringify({ ...asked, skip: undefined, limit: undefined, sort: undefined }), [query.value]);
  useEffect(() => {
    setSelected(new Set());
    setEverything(false);
  }, [matching]);
  useEffect(() => {
    if (read.data) onRead?.(read.data);
  }, [read.data]);

  const rows = read.data?.resources ?? null;
  const total = read.data?.total ?? 0;
  const shown = shownColumns(columns, query.value.cols);
  const narrowed = Object.keys({ ...asked, skip: 1, limit: 1, sort: 1 }).length > 3;
  const nothing = rows !== null && rows.length === 0;

  return html`${views.length > 0 && html`<${Views} path=${path} views=${views} />`}
    ${(search || field || filters.length > 0 || nothing === false) && html`<div class="toolbar">
      ${field}${search && html`<${Search} name=${search.name ?? 'search'} placeholder=${search.placeholder} />`}
      <${Filters} filters=${filters} hidden=${[...Object.keys(fixed), ...(search ? [search.name ?? 'search'] : [])]} />
      <div class="after">${read.data && html`<span class="small t2 hide-small">${plural(total, ...noun)} in ${read.took} ms</span>`}
        <${Columns} columns=${columns} />${exporting ?? html`<${ExportMenu} path=${path} query=${{ ...wanted, skip: undefined, limit: undefined }} name=${noun[1]} />`}</div></div>`}
    ${read.error && html`<div class="body"><${ErrorNote} error=${read.error} again=${read.reload} what="The list could not be read." /></div>`}
    <div class="with-panel list-box" ref=${box}>
      ${read.loading && rows !== null && html`<div class="loading-bar late" role="progressbar" aria-label="Reading"></div>`}
      ${nothing && !read.error
        ? html`<div class="grow">${narrowed ? html`<${NothingMatches} path=${path} noun=${noun} filters=${filters} wanted=${wanted} searched=${search?.name ?? 'search'} />` : empty ?? html`<${Empty} title=${`No ${noun[1]} yet.`} />`}</div>`
        : !(read.error && rows === null) && html`<${Table} label=${noun[1]} columns=${shown} rows=${rows} href=${href} id=${id} sort=${order} skeleton=${Math.min(fit || 8, 12)} two=${two} rowClass=${rowClass}
            onSort=${(/** @type {string} */ next) => setQuery({ sort: next, skip: null })} selected=${bulk ? selected : undefined} onSelect=${bulk ? (/** @type {Set<string>} */ next) => { setSelected(next); setEverything(false); } : undefined}
            onOpen=${panel ? (/** @type {any} */ row) => setQuery({ open: id(row) }, { push: query.value.open === undefined }) : undefined} open=${query.value.open} />`}${beside}
    </div>
    <${Pager} total=${total} skip=${skip} limit=${limit} fit=${fit} count=${rows?.length ?? 0}>
      ${bulk && selected.size > 0 && html`<${BulkBar} count=${everything ? total : selected.size} total=${narrowed || Object.keys(fixed).length > 0 ? total : 0} everything=${everything} all=${() => setEverything(true)} clear=${() => { setSelected(new Set()); setEverything(false); }}>
        ${bulk({ ids: [...selected], rows: (rows ?? []).filter((/** @type {any} */ row) => selected.has(id(row))), everything, query: { ...asked, ...fixed, skip: undefined, limit: undefined, sort: undefined }, count: everything ? total : selected.size, clear: () => { setSelected(new Set()); setEverything(false); } })}<//>`}<//>`;
}

/** Typing waits 120 ms; the read before is cancelled. @param {{name: string, placeholder: string}} props */
export function Search({ name, placeholder }) {
  const present = query.value[name] ?? '';
  const [text, setText] = useState(present);
  const timer = useRef(/** @type {any} */ (null));
  // What was typed follows the address only where something else changed it: typing is ahead of its own searches.
  const searched = useRef(present);
  useEffect(() => {
    if (present === searched.current) return;
    searched.current = present;
    setText(present);
  }, [present]);
  // What was typed a moment before the page was left is not of the next one.
  useEffect(() => () => clearTimeout(timer.current), []);
  const typed = (/** @type {any} */ event) => {
    setText(event.target.value);
    clearTimeout(timer.current);
    const value = event.target.value.trim();
    timer.current = setTimeout(() => {
      searched.current = value;
      setQuery({ [name]: value, skip: null });
    }, 120);
  };
  const keys = (/** @type {any} */ event) => {
    if (event.key === 'Escape' && text !== '') {
      event.stopPropagation();
      clearTimeout(timer.current);
      searched.current = '';
      setText('');
      setQuery({ [name]: null, skip: null });
    }
  };
  return html`<div class="input search"><${Icon} name="search" /><input type="search" data-search aria-label="Search" placeholder=${placeholder} value=${text} onInput=${typed} onKeyDown=${keys} autocomplete="off" spellcheck="false" /><kbd aria-hidden="true">/</kbd></div>`;
}

/** Which filter to take away, and how many rows that brings. @param {{path: string, noun: [string, string], filters: import('./filters.js').Filter[], wanted: any, searched: string}} props */
function NothingMatches({ path, noun, filters, wanted, searched }) {
  const present = Object.keys(listQuery(query.value)).filter((name) => !['sort', 'skip', 'limit'].includes(name));
  const [best, setBest] = useState(/** @type {{name: string, total: number} | null} */ (null));
  useEffect(() => {
    let here = true;
    const tries = present.slice(0, 6).map(async (name) => ({ name, total: (await api.get(path, { ...wanted, [name]: undefined, skip: undefined, limit: 1 })).total }));
    Promise.all(tries).then((all) => here && setBest(all.sort((a, b) => b.total - a.total)[0] ?? null), () => undefined);
    return () => {
      here = false;
    };
  }, [JSON.stringify(wanted)]);
  const last = best?.name ?? present[present.length - 1];
  const title = last === searched ? 'the search' : `“${filters.find((filter) => filter.name === last)?.title ?? last}”`;
  return html`<${Empty} title=${`No ${noun[0]} matches ${present.length === 1 ? 'this filter' : `these ${present.length} filters`}`}>
    ${best && `${number(best.total)} ${best.total === 1 ? `${noun[0]} matches` : `${noun[1]} match`} without ${title}. `}<br /><button type="button" class="link" onClick=${() => setQuery({ [last]: null, skip: null })}>Take it away</button><//>`;
}
