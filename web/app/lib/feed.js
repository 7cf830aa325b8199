/** Pure functions about the feed of the overview: records and changes in AWS in one order, what was done to many in one row. */
import { addressOf, nameOf, rightsChanged, verb } from './record.js';
import { queryString, segment } from './query.js';
import { plural } from './text.js';

/** One act on several things within so many milliseconds is one row. */
const AT_ONCE = 15 * 60_000;
/** @type {Record<string, [string, string]>} what several of a kind are called */
const NOUNS = { key: ['key', 'keys'], kms: ['KMS', 'KMSs'], connection: ['connection', 'connections'], 'source-key': ['source key', 'source keys'], template: ['template', 'templates'], schedule: ['schedule', 'schedules'], 'key-store': ['key store', 'key stores'], user: ['user', 'users'], group: ['group', 'groups'], alarm: ['alarm', 'alarms'], job: ['bulk job', 'bulk jobs'], report: ['report', 'reports'], webhook: ['webhook', 'webhooks'] };

/** @type {Record<string, string>} AWS's names of changes in words */
const OUTSIDE = {
  PutKeyPolicy: 'set the policy of', EnableKey: 'enabled', DisableKey: 'disabled', ScheduleKeyDeletion: 'scheduled the deletion of', CancelKeyDeletion: 'cancelled the deletion of', CreateKey: 'created', TagResource: 'tagged', UntagResource: 'took tags off', CreateAlias: 'gave an alias to', UpdateAlias: 'moved an alias to', DeleteAlias: 'took an alias off',
  EnableKeyRotation: 'had AWS rotate', DisableKeyRotation: 'stopped the rotation of', RotateKeyOnDemand: 'rotated', UpdateKeyDescription: 'described', ImportKeyMaterial: 'imported material into', DeleteImportedKeyMaterial: 'deleted material of', ReplicateKey: 'replicated', UpdatePrimaryRegion: 'moved the primary of', CreateGrant: 'gave a grant on', RevokeGrant: 'revoked a grant on', RetireGrant: 'retired a grant on',
};

/**
 * @typedef {object} Row
 * @property {string} id
 * @property {number} at of the newest record
 * @property {boolean} outside whether it happened in AWS, not through us
 * @property {string} who
 * @property {boolean} byUser whether a user did it, not a schedule or the program
 * @property {string} verb
 * @property {string} kind of what it was done to
 * @property {string[]} of the ids of what it was done to
 * @property {string} name as far as it is known without asking
 * @property {string | null} href
 */

/** @param {string} kind @param {string | null} rights what was given or taken @param {any} record */
function verbOf(kind, rights, record) {
  if (kind === 'job') return 'ran';
  return rights ? `${rights} on` : verb(record);
}

/**
 * Alarms have numbers, and jobs no names. What is deleted has the name that another record says, else its kind.
 * @param {string} kind @param {string} id @param {any} record @param {Map<string, string>} said @returns {string}
 */
function nameIn(kind, id, record, said) {
  if (kind === 'job') return 'a bulk job';
  if (kind === 'alarm') return `#${id}`;
  if (record.resource_name || kind === 'key' || !NOUNS[kind]) return nameOf(record);
  return said.get(record.resource) ?? `a ${NOUNS[kind][0]}`;
}

/** @param {any} record @param {Map<string, string>} said names that records say, by their resources @returns {Row} */
function recordRow(record, said) {
  const [kind, ...rest] = String(record.resource ?? '').split('/');
  const outside = record.event === 'Vanished';
  const rights = record.event === 'AclsChanged' ? rightsChanged(record.details) : null;
  return {
    id: record.id, at: Date.parse(record.createdAt), outside, who: record.username ?? '', byUser: Boolean(record.user_id), verb: verbOf(kind, rights, record), kind, of: rest.length > 0 ? [rest.join('/')] : [],
    name: nameIn(kind, rest[0], record, said), href: kind === 'alarm' ? '/alarms' : addressOf(record),
  };
}

/** @param {any} entry a change that was found in AWS @returns {Row} */
function outsideRow(entry) {
  const id = entry.key_id ?? '';
  return {
    id: `drift-${entry.id}`, at: Date.parse(entry.event_time), outside: true, who: '', byUser: false, verb: OUTSIDE[entry.event_name] ?? entry.event_name, kind: id === '' ? '' : 'key', of: id === '' ? [] : [id],
    name: id === '' ? [entry.kms, entry.region].filter(Boolean).join(', ') : id.slice(0, 8), href: id === '' ? '/cckm/aws/drift-events' : `/cckm/aws/keys/${segment(id)}`,
  };
}

/**
 * The rows of the feed, the newest first.
 * @param {any[]} records of the audit log, the newest first @param {any[]} outside entries of the drift watch @param {number} most
 * @returns {Row[]}
 */
export function feedRows(records, outside, most) {
  const said = new Map(records.filter((record) => typeof record.details?.name === 'string').map((record) => [record.resource, record.details.name]));
  const all = [...records.map((record) => recordRow(record, said)), ...outside.map(outsideRow)].sort((a, b) => b.at - a.at);
  /** @type {Row[]} */
  const rows = [];
  for (const one of all) {
    const same = NOUNS[one.kind] && one.of.length > 0 ? rows.find((row) => row.kind === one.kind && row.verb === one.verb && row.who === one.who && row.outside === one.outside && row.at - one.at < AT_ONCE) : undefined;
    if (same) same.of = [...new Set([...same.of, ...one.of])];
    else rows.push({ ...one });
  }
  return rows.slice(0, most).map((row) => (row.of.length > 1 ? ofMany(row) : row));
}

/** A row about several things leads to all of them. @param {Row} row @returns {Row} */
function ofMany(row) {
  const [one, many] = NOUNS[row.kind];
  const at = (/** @type {number} */ time) => new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
  const list = row.outside ? '/cckm/aws/drift-events' : row.kind === 'alarm' ? '/alarms' : `/audit/records${queryString({ username: row.who, resource: row.kind, createdAfter: at(row.at - AT_ONCE), createdBefore: at(row.at + 1000) })}`;
  return { ...row, verb: row.verb.replace(new RegExp(` (the|an?) ([A-Za-z]+ )?${one}$`), ''), name: plural(row.of.length, one, many), href: list };
}

/** The ids of keys whose names are to be asked for: those of rows about one key whose name is the start of its id. @param {Row[]} rows */
export const unnamed = (rows) => rows.filter((row) => row.kind === 'key' && row.of.length === 1 && row.of[0].startsWith(row.name) && row.name.length <= 8).map((row) => row.of[0]);
