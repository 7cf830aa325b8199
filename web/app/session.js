/**
 * The session: the access token is in memory only; the refresh token is in a cookie that scripts cannot read. One tab renews for
 * all (Web Locks), and tells the others by a channel between them, which is memory as well.
 */
import { signal } from './view.js';
import { send } from './reach.js';
import { forgetDrafts, keepDraftsOf, store } from './storage.js';

/**
 * `starting` until it is known whether there is a session; then `out`, `in`, or `again`: a sign-in lies over the page.
 * @type {import('../vendor/signals.js').Signal<'starting' | 'out' | 'in' | 'again'>}
 */
export const session = signal(/** @type {any} */ ('starting'));
/** The user who is signed in, as `GET auth/self/user` shows it. @type {import('../vendor/signals.js').Signal<any>} */
export const user = signal(null);

/** Whether the session ended by a sign-out in another tab. */
export const elsewhere = signal(false);

/** @type {{token: string, until: number} | null} */
let access = null;
/** Whose page this is: set by the first token, and the same until the page is loaded again. */
let mine = '';
/** @type {Array<() => void>} */
let waiting = [];
const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('claviger.session') : null;

channel?.addEventListener('message', (event) => {
  const said = event.data;
  if (said?.kind === 'ask' && access) channel.postMessage({ kind: 'token', access });
  if (said?.kind === 'token' && typeof said.access?.token === 'string' && sameUser(said.access.token)) keep(said.access);
  if (said?.kind === 'out') signedOutElsewhere();
});

/** What was typed here stays, under a sign-in that covers the page: it is for the same user alone. */
function signedOutElsewhere() {
  access = null;
  if (session.value !== 'in' && session.value !== 'again') return;
  elsewhere.value = true;
  session.value = 'again';
}

/** @param {{token: string, until: number}} given */
function keep(given) {
  const whose = owner(given.token);
  // Another user: no call that waits may be carried out in that name, and nothing that was typed may be shown.
  if (mine !== '' && whose !== mine) {
    forget();
    location.reload();
    return;
  }
  mine = whose;
  keepDraftsOf(whose);
  access = given;
  elsewhere.value = false;
  if (session.value !== 'in' && user.value) session.value = 'in';
  const go = waiting;
  waiting = [];
  for (const one of go) one();
}

/** Forgets what is of the user who was here. */
function forget() {
  access = null;
  waiting = [];
  forgetDrafts();
  store('preferences', null);
}

/** Whose token it is; tokens are JWTs, whose claims are only read here, never trusted. @param {string} token */
function owner(token) {
  try {
    const claims = JSON.parse(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')));
    return claims.sub ?? claims.preferred_username ?? '';
  } catch {
    return '';
  }
}

/** A token of somebody else who signed in in another tab is not taken. @param {string} token */
const sameUser = (token) => mine === '' || owner(token) === mine;

/** @param {any} answer the answer of auth/tokens */
function take(answer) {
  const given = { token: answer.jwt, until: Date.now() + (answer.duration ?? 300) * 1000 };
  keep(given);
  channel?.postMessage({ kind: 'token', access: given });
}

/** @param {any} body */
const askForToken = (body) => send('/api/v1/auth/tokens', { method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Claviger-Console': '1' }, body: JSON.stringify(body) });

/** Renews by the cookie, one tab for all. Answers whether there is a token now; fails if that is not known. @param {string | null} old the one that is not good any more */
async function renew(old) {
  const asked = performance.now();
  const work = async () => {
    // Another tab had the lock: what it got may arrive a little later than the lock.
    if (performance.now() - asked > 5) await hear();
    if (access && access.token !== old && access.until - Date.now() > 20_000) return true;
    const before = access;
    const answer = await askForToken({ grant_type: 'refresh_token', cookies: true });
    if (answer.ok) {
      take(await answer.json());
      return access !== null;
    }
    // Only a refusal ends the session; a server that is busy, or not ready, does not.
    if (![400, 401, 403].includes(answer.status)) throw new Error(`auth/tokens answered ${answer.status}`);
    if (access === before) access = null;
    return access !== null;
  };
  return navigator.locks ? navigator.locks.request('claviger.renew', work) : work();
}

/** Asks the other tabs for their token, and waits for it. */
async function hear() {
  channel?.postMessage({ kind: 'ask' });
  await new Promise((resolve) => setTimeout(resolve, channel ? 30 : 0));
}

/** A token that is good for a while yet, or null if there is no session. */
export async function freshToken() {
  if (access && access.until - Date.now() > 20_000) return access.token;
  // The sign-in that lies over the page brings the next one.
  if (access === null && session.value === 'again') return null;
  try {
    await renew(access?.token ?? null);
  } catch {
    // No answer: an old token may still be good for its last seconds, and the call itself will say that the server is down.
  }
  return access?.token ?? null;
}

/** After a call was refused with 401. Fails if the server does not answer: then the session may still be good. @param {string} token */
export const renewAfter = (token) => renew(token);

/** Puts the sign-in over the page, and waits until somebody has signed in. */
export function signInAgain() {
  if (session.value === 'in') session.value = 'again';
  return new Promise((resolve) => waiting.push(() => resolve(undefined)));
}

async function readUser() {
  const answer = await fetch('/api/v1/auth/self/user', { headers: { Authorization: `Bearer ${access?.token}` }, cache: 'no-store' });
  if (!answer.ok) throw new Error(`auth/self/user answered ${answer.status}`);
  user.value = await answer.json();
}

/** At the start: takes the session of another tab, or that of the cookie. */
export async function begin() {
  await hear();
  try {
    if (access === null) await renew(null);
    if (access !== null) {
      await readUser();
      session.value = 'in';
      return;
    }
  } catch {
    // The session of the cookie is taken as soon as the server answers; until then somebody may try to sign in.
  }
  if (access === null || user.value === null) session.value = 'out';
}

/**
 * Signs in. Answers null, or the refusal with its status and the seconds to wait.
 * @param {string} username @param {string} password
 */
export async function signIn(username, password) {
  const answer = await askForToken({ grant_type: 'password', username, password, cookies: true });
  if (!answer.ok) {
    const body = await answer.json().catch(() => ({}));
    return { status: answer.status, reason: body.reason ?? '', message: body.message ?? '', wait: Number(answer.headers.get('retry-after')) || 0 };
  }
  take(await answer.json());
  // Another user than before: the page is loaded again.
  if (access === null) return null;
  await readUser();
  session.value = 'in';
  return null;
}

/** Changes a password before a sign-in, or one's own. @param {string} username @param {string} password @param {string} next */
export async function changePassword(username, password, next) {
  const answer = await fetch('/api/v1/auth/changepw', {
    method: 'PATCH',
    headers: { 'Content-Type': 'application/json', 'X-Claviger-Console': '1' },
    body: JSON.stringify({ username, password, new_password: next }),
    cache: 'no-store',
  });
  if (answer.ok) return null;
  const body = await answer.json().catch(() => ({}));
  return { status: answer.status, reason: body.reason ?? '', message: body.message ?? '', wait: Number(answer.headers.get('retry-after')) || 0 };
}

/** The session has ended: everything is loaded anew, so that nothing of it is left in memory. */
function leave() {
  if (session.value === 'out') return;
  forget();
  location.replace('/');
}

/** Ends this session here and in all tabs; fails if the server has not ended it. */
export async function signOut() {
  /** @type {Response} */
  let answer;
  try {
    answer = await fetch('/api/v1/auth/revoke', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Claviger-Console': '1' },
      body: JSON.stringify({ cookies: true }),
      credentials: 'same-origin',
    });
  } catch {
    throw new Error('The server did not answer: you are still signed in.');
  }
  if (!answer.ok) {
    const body = await answer.json().catch(() => ({}));
    throw new Error(body.message ?? `The server answered ${answer.status}: you are still signed in.`);
  }
  channel?.postMessage({ kind: 'out' });
  leave();
}
