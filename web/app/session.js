/**
 * The session: the access token is in memory only; the refresh token is in a cookie that scripts cannot read. One tab renews for
 * all (Web Locks), and tells the others by a channel between them, which is memory as well.
 */
import { signal } from './view.js';
import { forgetDrafts, store } from './storage.js';

/**
 * `starting` until it is known whether there is a session; then `out`, `in`, or `again`: a sign-in lies over the page.
 * @type {import('../vendor/signals.js').Signal<'starting' | 'out' | 'in' | 'again'>}
 */
export const session = signal(/** @type {any} */ ('starting'));
/** The user who is signed in, as `GET auth/self/user` shows it. @type {import('../vendor/signals.js').Signal<any>} */
export const user = signal(null);

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
  if (said?.kind === 'out') leave();
});

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
  access = given;
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
async function askForToken(body) {
  return fetch('/api/v1/auth/tokens', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Claviger-Console': '1' },
    body: JSON.stringify(body),
    credentials: 'same-origin',
    cache: 'no-store',
  });
}

/** Renews by the cookie, one tab for all. Answers whether there is a token now. @param {string | null} old the one that is not good any more */
async function renew(old) {
  const work = async () => {
    if (access && access.token !== old && access.until - Date.now() > 20_000) return true;
    const answer = await askForToken({ grant_type: 'refresh_token', cookies: true });
    if (answer.ok) {
      take(await answer.json());
      return access !== null;
    }
    if (answer.status < 500) access = null;
    return answer.status >= 500 && access !== null;
  };
  return navigator.locks ? navigator.locks.request('claviger.renew', work) : work();
}

/** A token that is good for a while yet, or null if there is no session. */
export async function freshToken() {
  if (access && access.until - Date.now() > 20_000) return access.token;
  try {
    await renew(access?.token ?? null);
  } catch {
    // No answer: an old token may still be good for its last seconds, and the call itself will say that the server is down.
  }
  return access?.token ?? null;
}

/** After a call was refused with 401. @param {string} token */
export async function renewAfter(token) {
  try {
    return await renew(token);
  } catch {
    return false;
  }
}

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
  channel?.postMessage({ kind: 'ask' });
  await new Promise((resolve) => setTimeout(resolve, channel ? 30 : 0));
  try {
    if (access === null) await renew(null);
    if (access !== null) {
      await readUser();
      session.value = 'in';
      return;
    }
  } catch {
    // The sign-in page says that the server does not answer, as soon as somebody tries.
  }
  session.value = 'out';
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
