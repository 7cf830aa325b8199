/**
 * The one place that calls the API. Paths are those of docs/api.md with a leading slash and without `/api/v1`, as in the address
 * of a page: `api.get('/cckm/aws/keys', { limit: 50 })`. It adds the access token, renews it, asks for a new sign-in over the page
 * when the session has ended, and repeats the call then. Errors are `ApiError`s.
 */
import { queryString } from './lib/query.js';
import { lost, send as request } from './reach.js';
import { freshToken, renewAfter, signInAgain } from './session.js';

export class ApiError extends Error {
  /** @param {number} status 0 if there was no answer @param {Record<string, any>} body @param {string} requestId */
  constructor(status, body, requestId) {
    super(body.message ?? body.codeDesc ?? `The server answered ${status}.`);
    this.status = status;
    /** @type {string} */ this.reason = body.reason ?? '';
    /** @type {string | undefined} the member of the request that is refused */ this.member = body.member;
    /** @type {Record<string, any> | undefined} the range of its value */ this.limit = body.limit;
    this.requestId = requestId;
    this.body = body;
  }

  /** Whether it is not known what happened: the answer was lost. */
  get unknown() {
    return this.status === 0 || this.status === 504;
  }
}

/**
 * @typedef {object} Options
 * @property {Record<string, any>} [query]
 * @property {any} [body]
 * @property {AbortSignal} [signal]
 * @property {Record<string, string>} [headers]
 * @property {string} [version] a change names the version that it began with (`versionOf`); 412 if there is a newer one
 */

/** One request, without renewing anything. @param {string} method @param {string} path @param {Options} options @param {string} token */
async function send(method, path, options, token) {
  /** @type {Record<string, string>} */
  const headers = { Accept: 'application/json', ...options.headers, Authorization: `Bearer ${token}` };
  if (method !== 'GET') headers['X-Claviger-Console'] = '1';
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  try {
    return await request(`/api/v1${path}${queryString(options.query ?? {})}`, {
      method,
      headers,
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      signal: options.signal,
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw noAnswer();
  }
}

/** The error of a call without an answer. */
const noAnswer = () => new ApiError(0, { reason: 'no_answer', message: 'The server did not answer.' }, '');

/** The error of a refused answer. @param {Response} answer */
async function errorOf(answer) {
  let body = {};
  try {
    body = await answer.json();
  } catch {
    // An answer of something between here and the server: its status has to do.
  }
  return new ApiError(answer.status, body, answer.headers.get('x-request-id') ?? '');
}

/** Answers whatever came, once it is not a refusal. @param {string} method @param {string} path @param {Options} [options] */
export async function call(method, path, options = {}) {
  for (let attempt = 0; ; attempt += 1) {
    const token = await freshToken();
    const answer = token === null ? null : await send(method, path, options, token);
    if (answer && answer.ok) return answer;
    const error = answer ? await errorOf(answer) : null;
    if (error && (error.status !== 401 || attempt > 1)) throw error;
    if (options.signal?.aborted) throw new DOMException('superseded', 'AbortError');
    // The token was refused: a new one from the cookie first, then a sign-in over the page.
    const renewed = token !== null && attempt === 0 && (await renewAfter(token).catch(() => Promise.reject(noAnswer())));
    if (!renewed) await signInAgain();
  }
}

/** The version of each object that was read, by its path: what a change names with `If-Match`. @type {Map<string, string>} */
const versions = new Map();

/** The version that was read last at a path, for the `version` of a change; undefined if the server gave none. @param {string} path */
export const versionOf = (path) => versions.get(path);

/** The version of an object that is shown, for the `version` of a change of it. @param {any} object @returns {string | undefined} */
export function versionIn(object) {
  const changed = object?.updatedAt ?? object?.updated_at;
  return changed ? `"${changed}"` : undefined;
}

/** @param {string} method @param {string} path @param {Options} [options] @returns {Promise<any>} */
async function json(method, path, options = {}) {
  const headers = options.version ? { ...options.headers, 'If-Match': options.version } : options.headers;
  const answer = await call(method, path, { ...options, headers }).finally(() => void (method !== 'GET' && (changes.count += 1)));
  const version = answer.headers.get('etag');
  if (version && method === 'GET' && options.query?.at === undefined) {
    versions.delete(path);
    versions.set(path, version);
    if (versions.size > 200) versions.delete([...versions.keys()][0]);
  }
  if (answer.status === 204) return null;
  const text = await answer.text().catch((error) => {
    if (options.signal?.aborted) throw error;
    lost({ reads: true });
    throw noAnswer();
  });
  return text === '' ? null : JSON.parse(text);
}

/** How many changes of this tab were answered. */
export const changes = { count: 0 };

export const api = {
  /** @param {string} path @param {Record<string, any>} [query] @param {AbortSignal} [signal] */
  get: (path, query, signal) => json('GET', path, { query, signal }),
  /** @param {string} path @param {any} [body] @param {Options} [options] */
  post: (path, body, options) => json('POST', path, { ...options, body: body ?? {} }),
  /** @param {string} path @param {any} body @param {Options} [options] */
  patch: (path, body, options) => json('PATCH', path, { ...options, body }),
  /** @param {string} path @param {any} body @param {Options} [options] */
  put: (path, body, options) => json('PUT', path, { ...options, body }),
  /** @param {string} path @param {Options} [options] */
  delete: (path, options) => json('DELETE', path, options),
  /** A file: its blob and its name. @param {string} path @param {Record<string, any>} [query] @param {string} [accept] */
  async download(path, query, accept = '*/*') {
    const answer = await call('GET', path, { query, headers: { Accept: accept } });
    const name = /filename="?([^";]+)/.exec(answer.headers.get('content-disposition') ?? '')?.[1];
    return { blob: await answer.blob(), name: name ?? path.split('/').pop() ?? 'download' };
  },
};

/**
 * The call that an act would make: the act gets an api that asks nothing. Null if it makes none at once.
 * @param {(api: any) => any} act @returns {{method: string, path: string, query: Record<string, any>, body?: any} | null}
 */
export function callOf(act) {
  let made = /** @type {any} */ (null);
  const note = (/** @type {string} */ method, /** @type {string} */ path, /** @type {any} */ body, /** @type {Options} */ options = {}) => {
    made ??= { method, path, query: options.query ?? {}, body };
    // What the act would do with the answer is not done.
    return new Promise(() => undefined);
  };
  const noting = (/** @type {string} */ method) => (/** @type {string} */ path, /** @type {any} */ body, /** @type {Options} */ options) => note(method, path, body ?? {}, options);
  try {
    act({ post: noting('POST'), patch: noting('PATCH'), put: noting('PUT'), delete: (/** @type {string} */ path, /** @type {Options} */ options) => note('DELETE', path, undefined, options), get: () => new Promise(() => undefined) });
  } catch {
    // What was typed so far makes no call.
  }
  return made;
}

/** Gives a file to the user. @param {Blob} blob @param {string} name */
export function saveFile(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
