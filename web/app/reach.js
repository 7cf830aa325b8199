/**
 * Whether the server answers. Whoever gets no answer says so by `lost`: the server is asked until it answers, and then what is shown
 * is read again, since reads may have failed and changes may have been missed.
 */
import { signal, useEffect } from './view.js';

/** Whether the server answered when it was last asked. */
export const reached = signal(true);
/** Counts up when the server answers again. */
export const recovered = signal(0);

/** What is answered in the place of a server that is not there, or by one that is not ready. */
const UNAVAILABLE = [502, 503, 504];
/** The milliseconds between two questions: the first, and the most. */
const WAITS = [500, 5000];
/** A connection that broke while the server answers others is no outage; reads that failed by it are repeated this seldom. */
const SELDOM = 10_000;
let asking = false;
let last = -SELDOM;

/** Asks what needs no token. */
async function answers() {
  try {
    return (await fetch('/api/v1/console', { cache: 'no-store', signal: AbortSignal.timeout(10_000) })).ok;
  } catch {
    return false;
  }
}

/** A call had no answer, or one that says that there is none. @param {{reads?: boolean}} [what] reads: whether something has to be read again at any rate */
export async function lost({ reads = false } = {}) {
  if (asking) return;
  asking = true;
  for (let wait = WAITS[0]; !(await answers()); wait = Math.min(WAITS[1], wait * 1.5)) {
    reached.value = false;
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
  asking = false;
  const again = !reached.value || (reads && performance.now() - last > SELDOM);
  reached.value = true;
  if (!again) return;
  last = performance.now();
  recovered.value += 1;
}

/** `fetch` for calls of the API: says so if there is no answer. @param {string} address @param {RequestInit} how */
export async function send(address, how) {
  try {
    const answer = await globalThis.fetch(address, { credentials: 'same-origin', cache: 'no-store', ...how });
    if (UNAVAILABLE.includes(answer.status)) lost();
    return answer;
  } catch (error) {
    if (!how.signal?.aborted) lost({ reads: true });
    throw error;
  }
}

/** Waits, but no longer than until a server that was away answers again. @param {number} wait milliseconds @returns {Promise<boolean>} whether it does */
export function pause(wait) {
  return new Promise((resolve) => {
    const before = recovered.value;
    const end = (/** @type {boolean} */ early) => {
      clearTimeout(timer);
      stop();
      resolve(early);
    };
    const timer = setTimeout(() => end(false), wait);
    const stop = recovered.subscribe((now) => {
      if (now !== before) end(true);
    });
  });
}

/** A part of the page could not be loaded: the page is loaded again once a server that was away answers. @param {boolean} failed */
export function useReload(failed) {
  useEffect(() => {
    if (!failed) return undefined;
    lost();
    const before = recovered.value;
    return recovered.subscribe((now) => {
      if (now !== before) location.reload();
    });
  }, [failed]);
}
