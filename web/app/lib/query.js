/** Pure functions about addresses and queries. */

/** Members of the query that are the console's own and are never sent to the API. */
export const OWN = ['tab', 'cols', 'open', 'step', 'new', 'since', 'view', 'edit'];

/**
 * A query string of the given members, in their order. Absent ones (null, undefined, '') are left out; lists are repeated.
 * @param {Record<string, any>} members
 */
export function queryString(members) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(members)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== '') query.append(name, String(one));
    }
  }
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

/**
 * The members of a query; a repeated one is a list.
 * @param {string} search @returns {Record<string, string | string[]>}
 */
export function members(search) {
  /** @type {Record<string, string | string[]>} */
  const found = {};
  for (const [name, value] of new URLSearchParams(search)) {
    const before = found[name];
    if (before === undefined) found[name] = value;
    else found[name] = Array.isArray(before) ? [...before, value] : [before, value];
  }
  return found;
}

/** The part of a query that the API gets. @param {Record<string, any>} all */
export function apiQuery(all) {
  return Object.fromEntries(Object.entries(all).filter(([name]) => !OWN.includes(name)));
}

/** The same for a list: lists have no past, one object has. @param {Record<string, any>} all */
export function listQuery(all) {
  const { at: _at, ...asked } = apiQuery(all);
  return asked;
}

/**
 * Matches a path with a pattern such as `/cckm/aws/keys/{id}`; answers the members of the path, or null.
 * @param {string} pattern @param {string} path @returns {Record<string, string> | null}
 */
export function match(pattern, path) {
  const wanted = pattern.split('/');
  const given = path.replace(/\/+$/, '').split('/');
  if (pattern === '/') return given.length === 1 && given[0] === '' ? {} : null;
  if (wanted.length !== given.length) return null;
  /** @type {Record<string, string>} */
  const found = {};
  for (let i = 0; i < wanted.length; i += 1) {
    const name = /^\{(\w+)\}$/.exec(wanted[i]);
    if (name) {
      if (given[i] === '') return null;
      try {
        found[name[1]] = decodeURIComponent(given[i]);
      } catch {
        return null;
      }
    } else if (wanted[i] !== given[i]) return null;
  }
  return found;
}

/** A segment of a path, escaped. @param {string} text */
export const segment = (text) => encodeURIComponent(text);

/** What a member of a query or of a policy has: one value, several, or none. @param {any} value @returns {any[]} */
export const listOf = (value) => (value === undefined || value === null ? [] : Array.isArray(value) ? value : [value]);
