/** Views over a list: sets of filters with a name. Some come with the page; the user's own are kept with the preferences. */
import { html } from '../../view.js';
import { place, query } from '../../router.js';
import { apiQuery, members, queryString } from '../../lib/query.js';
import { useGet } from '../../data.js';
import { number } from '../../lib/text.js';
import { Icon } from '../icon.js';
import { Popup } from '../popup.js';
import { preferences, setPreference } from '../../preferences.js';

/** @typedef {{title: string, query: Record<string, any>, own?: boolean}} View */

/** The filters of a query, in one text, to compare. @param {Record<string, any>} of */
const filtersOf = (of) => {
  const { skip, limit, sort, ...rest } = apiQuery(of);
  return JSON.stringify(Object.entries(rest).filter(([, value]) => value !== undefined && value !== null).map(([name, value]) => [name, [value].flat().map(String).sort()]).sort());
};

/** @param {{path: string, views: View[]}} props */
export function Views({ path, views }) {
  const kept = /** @type {Record<string, View[]>} */ (preferences.value.views ?? {})[path] ?? [];
  const all = [...views, ...kept.map((view) => ({ ...view, own: true }))];
  const present = filtersOf(query.value);
  const known = all.some((view) => filtersOf(view.query) === present);
  const change = (/** @type {(kept: View[]) => View[]} */ to) => setPreference('views', (/** @type {Record<string, View[]> | undefined} */ views) => ({ ...views, [path]: to(views?.[path] ?? []) }));
  return html`<div class="views" role="navigation" aria-label="Views">${all.map((view) => html`<${ViewLink} key=${view.title} path=${path} view=${view} current=${filtersOf(view.query) === present}
      forget=${view.own ? () => change((old) => old.filter((one) => one.title !== view.title)) : undefined} />`)}
    ${!known && html`<${Popup} class="" label=${html`<${Icon} name="bookmark" size="small" />Save this view`}>${(/** @type {() => void} */ close) => html`<form onSubmit=${(/** @type {any} */ event) => {
      event.preventDefault();
      const title = event.target.elements.title.value.trim().slice(0, 60);
      const view = { title, query: members(location.search) };
      if (title !== '') change((old) => [...old.filter((one) => one.title !== title), view]);
      close();
    }}><label class="heading" for="view-title">Name of the view</label><div class="row"><div class="input small"><input id="view-title" name="title" maxlength="60" autocomplete="off" /></div><button class="button small" type="submit">Save</button></div></form>`}<//>`}</div>`;
}

/** @param {{path: string, view: View, current: boolean, forget?: () => void}} props */
function ViewLink({ path, view, current, forget }) {
  const { skip, limit, ...filters } = apiQuery(view.query);
  const count = useGet(path, { ...filters, limit: 1 });
  return html`<a href=${place.value.path + queryString(view.query)} aria-current=${current ? 'true' : undefined}>${view.title}${count.data && html`<span class="count">${number(count.data.total)}</span>`}</a>
    ${forget && current && html`<button type="button" class="tiny" aria-label=${`Forget the view ${view.title}`} onClick=${forget}><${Icon} name="x" size="small" /></button>`}`;
}
