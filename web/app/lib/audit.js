/** Pure functions about the audit log: what a typed text looks for, and what a record shows. */
import { nameOf, rightsChanged, verb } from './record.js';

/**
 * What is meant by a text in the field of the audit log, as members of the query; a number opens that record.
 * @param {string} text @returns {Record<string, string>}
 */
export function meant(text) {
  const typed = text.trim().replace(/^#/, '').replace(/\s+(?=\d)/g, '');
  if (typed === '') return {};
  if (/^\d+$/.test(typed) || /^attempt-\d+$/.test(typed)) return { open: typed };
  if (/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(typed)) return { requestId: typed.toLowerCase() };
  if (/^(\d{1,3}\.){3}\d{1,3}$/.test(typed) || /^[0-9a-f:]*:[0-9a-f:]+$/i.test(typed)) return { clientIP: typed };
  if (/^[a-z-]+\/.+/.test(typed) && !typed.startsWith('alias/')) return { resource: typed };
  return { username: text.trim() };
}

/** What the search calls otherwise than the log. @type {Record<string, string>} */
const KINDS = { source_key: 'source-key', custom_key_store: 'key-store', policy_template: 'template' };

/**
 * What is meant by a text that may be who or what, by the hits of a search for it: the objects of exactly that name, unless a user has
 * it; what nobody and nothing is called stays the name of a user, who may have been deleted.
 * @param {string} text @param {Array<{kind: string, id: string, name: string}>} hits @returns {{username: string} | {resource: string[]}}
 */
export function whoOrWhat(text, hits) {
  const asked = text.trim();
  const name = asked.replace(/^alias\//, '');
  const called = hits.filter((hit) => hit.name === name || hit.id === name);
  const user = called.find((hit) => hit.kind === 'user');
  if (called.length === 0 || user) return { username: user?.name ?? asked };
  return { resource: called.map((hit) => `${KINDS[hit.kind] ?? hit.kind}/${hit.id}`) };
}

/** The id of a record in addresses: its number, or that of the failed attempt. @param {any} record */
export const recordId = (record) => String(record.number ?? record.id);

/** Who caused a record, as far as it is known: a wrong password is of the user whose name was typed. @param {any} record @returns {string} */
export const whoOf = (record) => record.username || (record.event === 'LoginFailed' ? record.resource_name : '') || '';

/** Whether something happened in AWS that did not go through the program. @param {any} record */
export const isOutside = (record) => record.event === 'Vanished' || record.event === 'DriftSeen' || (String(record.resource).startsWith('drift/') && record.event !== 'DriftWatched');

/** What a record says: the verb, on what, and whether it was refused. @param {any} record */
export function said(record) {
  const refused = record.success === false;
  if (record.number === null || record.number === undefined) {
    const details = record.details ?? {};
    return { verb: verb(record), name: details.path ? `${details.method} ${String(details.path).replace('/api/v1', '')}` : '', more: [details.reason, details.times > 1 && `${details.times} times`].filter(Boolean).join(', '), refused };
  }
  const rights = record.event === 'AclsChanged' && rightsChanged(record.details);
  if (rights) return { verb: `${rights} on`, name: nameOf(record), more: '', refused };
  if (record.event === 'LoginFailed') return { verb: verb(record), name: '', more: record.clientIP ? `from ${record.clientIP}` : '', refused };
  return { verb: verb(record), name: ownSession(record) ? '' : nameOf(record), more: '', refused };
}

/** A session or a sign-in of the user who is named anyway. @param {any} record */
function ownSession(record) {
  return String(record.resource).startsWith('session/') || ((record.event === 'LoggedIn' || record.event === 'LoginFailed') && record.resource_name === record.username);
}
