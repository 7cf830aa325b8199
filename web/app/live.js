/**
 * What changes on the server: one stream of server-sent events a tab, read by fetch since the token is in a header, and resumed by
 * the number of the last record. An event carries no data, it says what to read again. A hidden tab has no stream: a browser opens
 * few connections to a host (six by HTTP/1.1), and tabs that nobody looks at would leave none for the one that is seen.
 */
import { signal } from './view.js';
import { changed } from './data.js';
import { call } from './api.js';
import { lost, pause } from './reach.js';
import { session } from './session.js';
import { readRights } from './rights.js';
import { JOBS, LISTS } from './lib/places.js';

/** Whether the stream is open, or only rests while the tab is hidden. */
export const live = signal(false);

/** What is worked out from all keys, and what each record changes, is read again less often than lists; in milliseconds. */
const SELDOM = 4000;

/** Reads one path at most every two seconds: many records of one list are one reading. @type {Map<string, ReturnType<typeof setTimeout>>} */
const soon = new Map();

/** @param {string} path @param {number} [after] in milliseconds */
function readSoon(path, after = soon.size > 3 ? 2000 : 700) {
  if (soon.has(path)) return;
  soon.set(path, setTimeout(() => {
    soon.delete(path);
    changed(path);
  }, after));
}

/** One block of the stream. @param {string} kind @param {any} said */
function take(kind, said) {
  if (kind === 'reset') {
    changed('/');
    return;
  }
  if (kind !== 'change') return;
  if (said.kind === 'job') {
    for (const path of Object.values(JOBS)) readSoon(path);
    return;
  }
  const path = LISTS[said.kind];
  if (path) readSoon(said.id && !said.many ? `${path}/${said.id}` : path);
  if (path && said.id) readSoon(path);
  if (said.kind === 'key' || said.kind === 'schedule') readSoon('/cckm/aws/posture', SELDOM);
  readSoon('/audit/chain', SELDOM);
  readSoon('/audit/records');
  if (said.kind === 'kms' || said.kind === 'group') readRights();
}

let last = '';
let running = false;

/** @param {AbortSignal} signal */
async function follow(signal) {
  const answer = await call('GET', '/events', { signal, headers: { Accept: 'text/event-stream', ...(last ? { 'Last-Event-ID': last } : {}) } });
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) return;
  live.value = true;
  for (let text = ''; ;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const blocks = text.split(/\r?\n\r?\n/);
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const field = (/** @type {string} */ name) => block.split(/\r?\n/).filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).trimStart()).join('\n');
      const id = field('id');
      if (id !== '') last = id;
      const data = field('data');
      if (data !== '') take(field('event') || 'message', JSON.parse(data));
    }
  }
}

/** Once the tab is seen. */
async function seen() {
  let waited = false;
  while (document.visibilityState !== 'visible') {
    waited = true;
    await new Promise((resolve) => document.addEventListener('visibilitychange', resolve, { once: true }));
  }
  // A tab that was opened in the background knows no record to go on from.
  if (waited && last === '') changed('/');
}

/** Follows the stream for as long as somebody is signed in; after a break it waits, longer each time, a minute at most. */
export async function startLive() {
  if (running) return;
  running = true;
  for (let wait = 1000; session.value === 'in' || session.value === 'again';) {
    await seen();
    const abort = new AbortController();
    const hidden = () => document.visibilityState === 'hidden' && abort.abort();
    document.addEventListener('visibilitychange', hidden);
    try {
      await follow(abort.signal);
      wait = 1000;
    } catch (/** @type {any} */ error) {
      if (abort.signal.aborted) continue;
      // A server without the stream: pages still read when they are opened.
      if (error.status === 404 || error.status === 405) break;
      wait = Math.min(60_000, wait * 2);
      // A stream that breaks is the first sign of a server that has gone.
      if (error.status === undefined) lost();
    } finally {
      document.removeEventListener('visibilitychange', hidden);
    }
    live.value = false;
    if (await pause(wait)) wait = 1000;
  }
  live.value = false;
  running = false;
}
