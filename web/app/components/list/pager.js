/** The pager under a table: `skip` and `limit` of the API. `Fit` is as many rows as the window shows. A page pushes an entry of the history. */
import { html } from '../../view.js';
import { query, setQuery } from '../../router.js';
import { number } from '../../lib/text.js';
import { Icon } from '../icon.js';

/** @param {{total: number, skip: number, limit: number, fit: number, count: number, children?: any}} props */
export function Pager({ total, skip, limit, fit, count, children }) {
  const to = (/** @type {number} */ next) => setQuery({ skip: next > 0 ? next : null }, { push: true });
  const rows = (/** @type {number | null} */ next) => setQuery({ limit: next, skip: null });
  const chosen = query.value.limit;
  return html`<div class="pager"><span>${total === 0 ? 'Nothing' : `${number(skip + 1)} to ${number(skip + count)} of ${number(total)}`}</span>
    <span class="end row"><span>Rows</span>
      <span class="segments small" role="group" aria-label="Rows of a page"><button type="button" aria-pressed=${chosen === '50'} onClick=${() => rows(50)}>50</button><button type="button" aria-pressed=${chosen === undefined} data-tip=${`${fit} rows`} onClick=${() => rows(null)}>Fit</button><button type="button" aria-pressed=${chosen === '100'} onClick=${() => rows(100)}>100</button><button type="button" aria-pressed=${chosen === '1000'} onClick=${() => rows(1000)}>1000</button></span>
      <button type="button" class="button small square" aria-label="Previous page" disabled=${skip === 0} onClick=${() => to(skip - limit)}><${Icon} name="chevron-left" size="small" /></button>
      <button type="button" class="button small square" aria-label="Next page" disabled=${skip + limit >= total} onClick=${() => to(skip + limit)}><${Icon} name="chevron-right" size="small" /></button></span>${children}</div>`;
}
