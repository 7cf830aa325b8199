/**
 * Reading for pages: `useGet` reads a path of the API while a component is shown, cancels a read that a newer one supersedes, keeps
 * the old answer while it reads again, and reads again when somebody says `changed(path)`.
 */
import { signal, useEffect, useRef, useState } from './view.js';
import { api } from './api.js';
import { queryString } from './lib/query.js';

/** @type {Map<string, Promise<any>>} reads under way, which others may join */
const underWay = new Map();
/** Counts up with each `changed`; with the path that changed. */
const change = signal({ count: 0, path: '' });

/** Says that what is at the path, or under it, is another now: whoever shows it reads it again. @param {string} path */
export function changed(path) {
  change.value = { count: change.value.count + 1, path };
}

/** Joins a read of the same path that is under way and that nobody can cancel. @param {string} path @param {Record<string, any>} [query] */
export function shared(path, query = {}) {
  const address = path + queryString(query);
  const present = underWay.get(address);
  if (present) return present;
  const reading = api.get(path, query).finally(() => underWay.delete(address));
  underWay.set(address, reading);
  return reading;
}

/**
 * @template [T=any]
 * @typedef {object} Read
 * @property {T | null} data the last answer, also while a newer one is read
 * @property {import('./api.js').ApiError | null} error
 * @property {boolean} loading
 * @property {number} took milliseconds of the last answer
 * @property {number} at when it came
 * @property {() => void} reload
 * @property {(data: any) => void} set puts an answer in place, of a change for example
 */

/**
 * Reads `path` with `query`; a path of null reads nothing. With `every`, reads again after so many milliseconds while the tab is seen.
 * @param {string | null} path @param {Record<string, any>} [query] @param {{every?: number, delay?: number}} [how]
 * @returns {Read}
 */
export function useGet(path, query = {}, how = {}) {
  const address = path === null ? null : path + queryString(query);
  const [state, setState] = useState(/** @type {any} */ ({ address: null, data: null, error: null, loading: path !== null, took: 0, at: 0 }));
  const [turn, setTurn] = useState(0);
  const seen = useRef(change.peek().count);

  useEffect(() => {
    if (address === null || path === null) return undefined;
    const abort = new AbortController();
    let reading = false;
    const read = async () => {
      reading = true;
      const begun = performance.now();
      setState((/** @type {any} */ old) => ({ ...old, loading: true, data: sameKind(old.address, address) ? old.data : null }));
      try {
        const data = await api.get(path, query, abort.signal);
        if (!abort.signal.aborted) setState({ address, data, error: null, loading: false, took: Math.round(performance.now() - begun), at: Date.now() });
      } catch (error) {
        if (abort.signal.aborted) return;
        setState((/** @type {any} */ old) => ({ ...old, address, error, loading: false, data: sameKind(old.address, address) ? old.data : null }));
      } finally {
        reading = false;
      }
    };
    const timer = how.delay ? setTimeout(read, how.delay) : (read(), undefined);
    // A server that takes longer than that is not asked twice at once.
    const again = how.every ? setInterval(() => document.visibilityState === 'visible' && !reading && read(), how.every) : undefined;
    return () => {
      clearTimeout(timer);
      clearInterval(again);
      abort.abort();
    };
  }, [address, turn, how.every]);

  useEffect(() => change.subscribe((said) => {
    if (seen.current === said.count) return;
    seen.current = said.count;
    if (path !== null && said.path !== '' && (path.startsWith(said.path) || said.path.startsWith(`${path}/`))) setTurn((old) => old + 1);
  }), [path]);

  return {
    ...state,
    loading: state.loading || (address !== null && state.address !== null && state.address !== address),
    reload: () => setTurn((old) => old + 1),
    set: (data) => setState((/** @type {any} */ old) => ({ ...old, data })),
  };
}

/** Whether an address is of the past. @param {string} address */
const isPast = (address) => /[?&]at=/.test(address);

/** Whether two addresses are of one list, so that the old rows may stay while the new ones come; what was is not shown as what is. @param {string | null} a @param {string} b */
const sameKind = (a, b) => a !== null && a.split('?')[0] === b.split('?')[0] && isPast(a) === isPast(b);
