/** Pure functions: a record of the audit log in words, and where its resource is. */
import { PLACES } from './places.js';
import { plural, spaced } from './text.js';
import { EVENTS, OPERATIONS } from './words.js';

/** The name of what is written as `"Name"` or `{"Name": {members}}`. @param {any} one @returns {string | undefined} */
const nameIn = (one) => (typeof one === 'string' ? one : Object.keys(one ?? {})[0]);

/** What happened, without who and which: "disabled". Also for rows of histories. @param {any} record */
export function verb(record) {
  const kind = String(record.resource ?? '').split('/')[0];
  const event = String(record.event ?? '');
  if (event === 'OperationRequested') {
    const operation = nameIn(record.details?.wanted);
    return operation ? (OPERATIONS[kind] ?? {})[operation] ?? spaced(operation) : 'asked AWS about';
  }
  const step = kind === 'job' ? nameIn(record.details) : undefined;
  const words = EVENTS[kind] ?? {};
  return words[`${event}.${step}`] ?? words[event] ?? EVENTS.any[event] ?? spaced(event);
}

/** Where the resource of a record is, or null. @param {any} record @returns {string | null} */
export function addressOf(record) {
  const [kind, ...rest] = String(record.resource ?? '').split('/');
  const id = rest.join('/');
  const base = PLACES[kind];
  if (!base || id === '') return null;
  return `${base}/${encodeURIComponent(kind === 'user' && !id.startsWith('local|') ? `local|${id}` : id)}`;
}

/** The name of the resource of a record: as it is now, else the start of its id. @param {any} record */
export function nameOf(record) {
  if (record.resource_name) return record.resource_name;
  const wanted = record.details?.wanted;
  const alias = wanted && typeof wanted === 'object' ? (Object.values(wanted)[0]?.new?.aliases ?? Object.values(wanted)[0]?.aliases)?.[0] : undefined;
  if (typeof alias === 'string') return alias;
  const id = String(record.resource ?? '').split('/')[1] ?? '';
  return /^[0-9a-f]{8}-/.test(id) ? id.slice(0, 8) : id;
}

/** A change of rights in words: "gave keyrotate to payments-keyops and 1 more"; null if nothing is said of it. @param {any} details of the record */
export function rightsChanged(details) {
  const [first, ...more] = details?.changes ?? [];
  if (!first) return null;
  const actions = first.actions?.length === 1 ? first.actions[0] : plural(first.actions?.length ?? 0, 'action');
  return `${first.permit ? 'gave' : 'took'} ${actions} ${first.permit ? 'to' : 'from'} ${first.principal?.Group ?? 'a user'}${more.length > 0 ? ` and ${more.length} more` : ''}`;
}

/** What a record says in the history of its own object: "disabled it", "changed its profile". @param {any} row of a history */
export function detailOf(row) {
  const details = row.details ?? {};
  const rights = row.event === 'AclsChanged' && rightsChanged(details);
  if (rights) return rights;
  if (/^RegionsReplaced/.test(row.event)) return `set the regions ${details.to.join(', ')}`;
  const person = String(row.resource).startsWith('user/');
  const words = verb(row).replace(/^(.+) the (.+) (?:of|on)$/, `$1 ${person ? 'the' : 'its'} $2`).replace(/ (?:of|on|to|into|for|from|by|about)$/, '');
  return words.replace(/^(\w+ed|put|made|found|read|took)(| (?:gone|again|done|to|at|wrapped|unexportable)\b.*)$/, '$1 it$2').replace(/(rotate|manages|delete)$/, '$1 it');
}

/** Events that a feed of changes asks for. */
export const TELLING = [
  'OperationRequested', 'OperationFailed', 'Vanished', 'RotationJobSet', 'Replaced', 'HyokCreated', 'HyokBlocked', 'HyokUnblocked', 'HyokRotated', 'CallerRulesSet', 'AclsChanged', 'Added', 'RegionsReplaced', 'ConnectionReplaced', 'RoleReplaced', 'Archived', 'Recovered',
  'Created', 'Deleted', 'Removed', 'Renamed', 'SettingsChanged', 'SecretReplaced', 'MemberAdded', 'MemberRemoved', 'VersionCreated', 'Exported', 'PolicyReplaced', 'Pushed', 'Updated', 'RunFinished', 'Blocked', 'Unblocked', 'CredentialAdded', 'Raised', 'Bulk', 'PasswordChanged',
];
