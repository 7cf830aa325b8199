/**
 * Where the user is. The address is the path of the API without `/api/v1`, and its query is the API's query; only the members in
 * lib/query.js `OWN` are the console's. Filters, sorts and tabs replace the entry of the history; pages and objects push one.
 */
import { signal, computed } from './view.js';
import { members, queryString } from './lib/query.js';

const read = () => ({ path: location.pathname, query: members(location.search) });

/** The present place. @type {import('../vendor/signals.js').Signal<{path: string, query: Record<string, any>}>} */
export const place = signal(read());
export const path = computed(() => place.value.path);
export const query = computed(() => place.value.query);

const keepScroll = () => {
  const scrolled = document.getElementById('content')?.scrollTop ?? 0;
  history.replaceState({ ...history.state, scrolled }, '');
};

/** Goes to an address of the console. @param {string} to @param {{replace?: boolean}} [how] */
export function go(to, how = {}) {
  const url = new URL(to, location.origin);
  const next = url.pathname + url.search;
  if (next === location.pathname + location.search) return;
  keepScroll();
  const samePage = url.pathname === location.pathname;
  if (how.replace) history.replaceState(history.state, '', next);
  else history.pushState({}, '', next);
  place.value = read();
  if (!samePage) requestAnimationFrame(() => document.getElementById('content')?.scrollTo(0, 0));
}

/** Changes members of the query; null takes one away. @param {Record<string, any>} changes @param {{push?: boolean}} [how] */
export function setQuery(changes, how = {}) {
  go(place.value.path + queryString({ ...place.value.query, ...changes }), { replace: !how.push });
}

/** The present address with other members of the query. @param {Record<string, any>} changes */
export const withQuery = (changes) => place.value.path + queryString({ ...place.value.query, ...changes });

/** Follows links within the console without loading the page again. */
export function start() {
  history.scrollRestoration = 'manual';
  addEventListener('popstate', () => {
    place.value = read();
    const scrolled = history.state?.scrolled ?? 0;
    requestAnimationFrame(() => document.getElementById('content')?.scrollTo(0, scrolled));
  });
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a[href]') : null;
    if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute('download')) return;
    if (link.origin !== location.origin || link.pathname.startsWith('/api/') || link.pathname.startsWith('/assets/')) return;
    if (link.getAttribute('href')?.startsWith('#')) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
