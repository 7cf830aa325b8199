/** Pure functions: a record of the audit log in words, and where its resource is. */
import { PLACES } from './places.js';
import { plural, spaced } from './text.js';

/** @type {Record<string, string>} the words of an event: `<kind>.<event>` or `<event>` */
const WORDS = {
  'user.Created': 'created the user', 'user.LoggedIn': 'signed in', 'user.LoginFailed': 'typed a wrong password', 'user.PasswordChanged': 'changed the password of', 'user.Removed': 'deleted the user',
  'user.ProfileChanged': 'changed the profile of', 'user.Renamed': 'renamed the user', 'user.PasswordChangeRequired': 'asked for a new password of', 'user.LockoutCleared': 'ended the lockout of', 'user.PasswordPolicyAssigned': 'set the password policy of',
  'group.Created': 'created the group', 'group.MemberAdded': 'added a member to', 'group.MemberRemoved': 'took a member from', 'group.Removed': 'deleted the group', 'group.Described': 'described the group', 'group.Renamed': 'renamed the group',
  'session.Opened': 'opened a session', 'session.Closed': 'closed a session', 'session.RefreshReused': 'used a refresh token twice', 'session.Refreshed': 'renewed a session', 'session.RefreshReplaced': 'renewed a session',
  'connection.Created': 'added the connection', 'connection.SettingsChanged': 'changed the connection', 'connection.Renamed': 'renamed the connection', 'connection.SecretReplaced': 'replaced the secret of', 'connection.Tested': 'tested the connection', 'connection.Deleted': 'deleted the connection',
  'kms.Added': 'added the KMS', 'kms.RegionsReplaced': 'changed the regions of', 'kms.RegionsReplacedKeepingKeys': 'changed the regions of', 'kms.ConnectionReplaced': 'changed the connection of', 'kms.RoleReplaced': 'changed the role of', 'kms.AclsChanged': 'changed the rights on', 'kms.Archived': 'archived', 'kms.Recovered': 'recovered', 'kms.Deleted': 'deleted the KMS',
  'key.OperationReconciled': 'found done', 'key.Found': 'found the key', 'key.Observed': 'read again', 'key.Vanished': 'found gone from AWS', 'key.RotationJobSet': 'set the schedule of', 'key.Forgotten': 'removed the entry of', 'key.Replaced': 'replaced the key', 'key.AliasMoved': 'moved an alias of',
  'key.HyokCreated': 'created the HYOK key', 'key.HyokBlocked': 'blocked', 'key.HyokUnblocked': 'unblocked', 'key.HyokRotated': 'rotated', 'key.HyokLinked': 'linked to AWS', 'key.CallerRulesSet': 'set the caller rules of', 'key.EncryptionsCounted': 'counted the encryptions of',
  'source-key.VersionCreated': 'made the source key', 'source-key.Created': 'made the source key', 'source-key.Exported': 'exported', 'source-key.Deleted': 'deleted the source key',
  'template.Created': 'created the template', 'template.PolicyReplaced': 'changed the template', 'template.Pushed': 'applied the template', 'template.Deleted': 'deleted the template', 'template.Verified': 'verified the template',
  'schedule.Created': 'created the schedule', 'schedule.Updated': 'changed the schedule', 'schedule.Deleted': 'deleted the schedule', 'schedule.RunStarted': 'began a run of', 'schedule.RunFinished': 'ended a run of', 'schedule.KeyTreated': 'rotated a key by',
  'key-store.Created': 'created the key store', 'key-store.CloudHsmCreated': 'created the key store', 'key-store.Blocked': 'blocked', 'key-store.Unblocked': 'unblocked', 'key-store.Deleted': 'deleted the key store', 'key-store.CredentialAdded': 'added a credential to', 'key-store.CredentialRemoved': 'removed a credential of', 'key-store.Linked': 'linked', 'key-store.SettingsChanged': 'changed the key store', 'key-store.Renamed': 'renamed the key store', 'key-store.Found': 'found the key store', 'key-store.Observed': 'read again', 'key-store.Vanished': 'found gone from AWS', 'key-store.CallsReported': 'counted the calls of',
  'alarm.Raised': 'raised an alarm', 'alarm.Acknowledged': 'took note of an alarm', 'alarm.Cleared': 'cleared an alarm', 'report.Created': 'began the report', 'report.Completed': 'completed the report', 'report.Deleted': 'deleted the report', 'report.Failed': 'failed to make the report',
  'webhook.Created': 'created the webhook', 'webhook.Deleted': 'deleted the webhook', 'webhook.SettingsChanged': 'changed the webhook', 'backup.Requested': 'began a backup', 'backup.Made': 'made a backup', 'backup.Failed': 'failed to make a backup', 'backup.Deleted': 'deleted a backup',
  LoginRefused: 'was refused at sign-in', AccessDenied: 'was denied', ChangeRefused: 'was refused a change',
};

/** @type {Record<string, string>} the words of an operation at AWS */
const OPERATIONS = {
  Create: 'created', Upload: 'uploaded', Enable: 'enabled', Disable: 'disabled', ScheduleDeletion: 'scheduled the deletion of', CancelDeletion: 'cancelled the deletion of', PutPolicy: 'set the policy of', Policy: 'set the policy of', Describe: 'described', Description: 'described', UpdateDescription: 'described',
  Tag: 'tagged', Untag: 'took tags off', AddAlias: 'gave an alias to', DeleteAlias: 'took an alias off', EnableRotation: 'had AWS rotate', DisableRotation: 'stopped the rotation of', RotateMaterial: 'rotated the material of', Rotate: 'rotated', Import: 'imported material into', ImportMaterial: 'imported material into', DeleteMaterial: 'deleted material of', Replicate: 'replicated', MovePrimary: 'moved the primary of', CreateInStore: 'created', Connect: 'connected', Disconnect: 'disconnected', Link: 'made at AWS', CreateStore: 'made the key store', DeleteStore: 'deleted the key store', Rename: 'renamed', SetAddress: 'changed the address of', SetCredential: 'changed the credential of',
};

/** What of an operation is in the details. @param {any} details @returns {string | null} */
function operationOf(details) {
  const wanted = details?.wanted ?? details?.operation;
  if (typeof wanted === 'string') return /^[A-Z]/.test(wanted) ? wanted : null;
  return wanted && typeof wanted === 'object' ? Object.keys(wanted)[0] ?? null : null;
}

/** What happened, without who and which: "disabled". Also for rows of histories. @param {any} record */
export function verb(record) {
  const kind = String(record.resource ?? '').split('/')[0];
  if (record.event === 'OperationRequested') {
    const operation = operationOf(record.details);
    return operation ? OPERATIONS[operation] ?? spaced(operation) : 'asked AWS about';
  }
  if (record.event === 'OperationDone') return 'AWS has done it for';
  if (record.event === 'OperationFailed') return 'AWS refused it for';
  if (kind === 'job') {
    if (record.event === 'Synchronisation') return 'synchronised';
    if (record.event === 'Bulk') return 'ran a bulk job';
  }
  return WORDS[`${kind}.${record.event}`] ?? WORDS[record.event] ?? spaced(String(record.event ?? ''));
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

/** The regions that a record of a KMS names. @param {any} details @returns {string[]} */
const regionsOf = (details) => [details.to, details.regions, details.new, details.added, details].find((one) => Array.isArray(one)) ?? [];

/** What a record says in the history of its own object: "disabled it", "changed its profile". @param {any} row of a history */
export function detailOf(row) {
  const details = row.details ?? {};
  const rights = row.event === 'AclsChanged' && rightsChanged(details);
  if (rights) return rights;
  const regions = /^Regions/.test(row.event) ? regionsOf(details) : [];
  if (regions.length > 0) return `set the regions ${regions.join(', ')}`;
  const person = String(row.resource).startsWith('user/');
  const words = verb(row).replace(/^(.+) the (.+) (?:of|on)$/, `$1 ${person ? 'the' : 'its'} $2`).replace(/ (?:of|on|to|into|for|from|by|about)$/, '');
  return words.replace(/^(\w+ed|put|made|found|read|took)(| (?:gone|again|done|to|at)\b.*)$/, '$1 it$2').replace(/rotate$/, 'rotate it');
}

/** Events that a feed of changes asks for. */
export const TELLING = [
  'OperationRequested', 'OperationFailed', 'Vanished', 'RotationJobSet', 'Replaced', 'HyokCreated', 'HyokBlocked', 'HyokUnblocked', 'HyokRotated', 'CallerRulesSet', 'AclsChanged', 'Added', 'RegionsReplaced', 'ConnectionReplaced', 'RoleReplaced', 'Archived', 'Recovered',
  'Created', 'Deleted', 'Removed', 'Renamed', 'SettingsChanged', 'SecretReplaced', 'MemberAdded', 'MemberRemoved', 'VersionCreated', 'Exported', 'PolicyReplaced', 'Pushed', 'Updated', 'RunFinished', 'Blocked', 'Unblocked', 'CredentialAdded', 'Raised', 'Bulk', 'PasswordChanged',
];
