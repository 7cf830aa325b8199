/**
 * Reading for pages: `useGet` reads a path of the API while a component is shown, cancels a read that a newer one supersedes, keeps
 * the old answer while it reads again, and reads again when somebody says `changed(path)`.
 */
import { signal, useEffect, useRef, useState } from './view.js';
import { api, changes } from './api.js';
import { reached } from './reach.js';
import { queryString } from './lib/query.js';

/** The milliseconds for which an answer is good for whoever asks the same, such as two parts of one page, if nothing has changed. */
const FRESH = 1000;

/** @typedef {{path: string, after: number, answer: Promise<any>, readers: number, abort: AbortController}} Reading */
/** The reads that others may join, by their addresses. @type {Map<string, Reading>} */
const readings = new Map();
/** Counts up with each `changed`; with the path that changed. */
const change = signal({ count: 0, path: '' });

/** Whether a change at one path is one of another. @param {string} path @param {string} where */
const concerns = (path, where) => where !== '' && (path.startsWith(where) || where.startsWith(`${path}/`));

/** Says that what is at the path, or under it, is another now: whoever shows it reads it again. @param {string} path */
export function changed(path) {
  for (const [address, one] of readings) if (concerns(one.path, path)) readings.delete(address);
  change.value = { count: change.value.count + 1, path };
}

/** Reads, or joins a read of the same; it is cancelled when nobody waits for it any more. @param {string} path @param {Record<string, any>} query @param {AbortSignal} [signal] @returns {Promise<any>} */
function joined(path, query, signal) {
  const address = path + queryString(query);
  let one = readings.get(address);
  // What was asked before a change of this tab was answered may be older than it.
  if (!one || one.after !== changes.count) {
    const abort = new AbortController();
    const made = { path, after: changes.count, readers: 0, abort, answer: api.get(path, query, abort.signal) };
    const forget = () => void (readings.get(address) === made && readings.delete(address));
    made.answer.then(() => setTimeout(forget, FRESH), forget);
    readings.set(address, made);
    one = made;
  }
  const reading = one;
  reading.readers += 1;
  signal?.addEventListener('abort', () => {
    reading.readers -= 1;
    if (reading.readers > 0) return;
    if (readings.get(address) === reading) readings.delete(address);
    reading.abort.abort();
  }, { once: true });
  return reading.answer;
}

/** Reads for what is not shown, such as a menu. @param {string} path @param {Record<string, any>} [query] */
export const shared = (path, query = {}) => joined(path, query);

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
  /** The read that is under way. @type {{current: AbortController | null}} */
  const reading = useRef(/** @type {any} */ (null));
  const again = () => {
    if (address !== null) readings.delete(address);
    setTurn((old) => old + 1);
  };

  useEffect(() => {
    if (address === null || path === null) return undefined;
    const abort = new AbortController();
    const read = async () => {
      reading.current = abort;
      const begun = performance.now();
      setState((/** @type {any} */ old) => ({ ...old, loading: true, data: sameKind(old.address, address) ? old.data : null }));
      try {
        const data = await joined(path, query, abort.signal);
        if (!abort.signal.aborted) setState({ address, data, error: null, loading: false, took: Math.round(performance.now() - begun), at: Date.now() });
      } catch (error) {
        if (abort.signal.aborted) return;
        setState((/** @type {any} */ old) => ({ ...old, address, error, loading: false, data: sameKind(old.address, address) ? old.data : null }));
      } finally {
        if (reading.current === abort) reading.current = null;
      }
    };
    const timer = how.delay ? setTimeout(read, how.delay) : (read(), undefined);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [address, turn]);

  // Another interval is no reason to read at once. A server that takes longer than that is not asked twice at once, one that is away not by this.
  useEffect(() => {
    if (address === null || !how.every) return undefined;
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible' && reading.current === null && reached.peek()) again();
    }, how.every);
    return () => clearInterval(timer);
  }, [address, how.every]);

  useEffect(() => change.subscribe((said) => {
    if (seen.current === said.count) return;
    seen.current = said.count;
    if (path !== null && concerns(path, said.path)) setTurn((old) => old + 1);
  }), [path]);

  return {
    ...state,
    loading: state.loading || (address !== null && state.address !== null && state.address !== address),
    reload: again,
    set: (data) => setState((/** @type {any} */ old) => ({ ...old, data })),
  };
}

/** Whether an address is of the past. @param {string} address */
const isPast = (address) => /[?&]at=/.test(address);

/** Whether two addresses are of one list, so that the old rows may stay while the new ones come; what was is not shown as what is. @param {string | null} a @param {string} b */
const sameKind = (a, b) => a !== null && a.split('?')[0] === b.split('?')[0] && isPast(a) === isPast(b);
