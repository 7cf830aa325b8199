/** Pure functions about source keys: what a change, an export or a revocation asks of the API. */
import { parse } from './time.js';

/** Whether a source key is out of use until it is recovered. @param {any} key @param {number} now */
export const isArchived = (key, now) => (parse(key.archiveDate) ?? Infinity) <= now;

/** Whether it can be held for AWS, and so be that of a virtual key. @param {any} key */
export const canBeHeld = (key) => /^aes$/i.test(key.algorithm ?? '') && key.size === 256 && key.unexportable && key.undeletable;

/** Whether its material is a private key. @param {any} key */
export const isAsymmetric = (key) => /^(rsa|ec)$/i.test(key.algorithm ?? '');

/** Whether it can wrap the material of others: AES of 128 or 256 bits, or RSA. @param {any} key */
export const canWrap = (key) => key.state === 'Active' && (/^rsa$/i.test(key.algorithm ?? '') || (/^aes$/i.test(key.algorithm ?? '') && key.size !== 192));

const RSA_AES = 'RSA/RSAAESKEYWRAPPADDING';

/**
 * The body of an export.
 * @param {any} key @param {{how: string, wrapper?: any, publicKey?: string, method?: string, padding?: string, format?: string}} values how: `source`, `public` or `clear`
 */
export function exportBody(key, { how, wrapper, publicKey = '', method = 'rsa-aes', padding = 'oaep256', format = '' }) {
  if (how === 'source') return { wrapKeyName: wrapper?.id ?? '', wrapKeyIDType: 'id', ...(/^rsa$/i.test(wrapper?.algorithm ?? '') ? { wrappingEncryptionAlgo: RSA_AES, wrapRSAAES: { padding } } : { padded: true }) };
  if (how === 'public') return { wrapPublicKey: publicKey.trim(), ...(method === 'rsa' && !isAsymmetric(key) ? { wrapPublicKeyPadding: padding } : { wrappingEncryptionAlgo: RSA_AES, wrapRSAAES: { padding } }) };
  return format === '' ? {} : { format };
}

/** "a=b, c" as labels. @param {string} text @returns {Record<string, string>} */
export const labelsOf = (text) => Object.fromEntries(text.split(',').map((one) => one.trim()).filter((one) => one !== '').map((one) => [one.split('=')[0].trim(), one.split('=').slice(1).join('=').trim()]));

/** What is edited of a source key, as it is typed. @param {any} key */
export const editable = (key) => ({
  description: key.description ?? '', labels: Object.entries(key.labels ?? {}).map(([name, value]) => `${name}=${value}`).join(', '), aliases: (key.aliases ?? []).map((/** @type {any} */ one) => one.alias).join(', '),
  unexportable: Boolean(key.unexportable), undeletable: Boolean(key.undeletable), protectStopDate: String(key.protectStopDate ?? '').slice(0, 10), deactivationDate: String(key.deactivationDate ?? '').slice(0, 10),
});

/** The changes alone: of labels null takes one away, of aliases an index alone does. @param {any} key @param {ReturnType<typeof editable>} values */
export function changesOf(key, values) {
  const before = editable(key);
  const changes = /** @type {Record<string, any>} */ ({});
  for (const name of /** @type {Array<'description' | 'unexportable' | 'undeletable'>} */ (['description', 'unexportable', 'undeletable'])) if (values[name] !== before[name]) changes[name] = values[name];
  for (const name of /** @type {Array<'protectStopDate' | 'deactivationDate'>} */ (['protectStopDate', 'deactivationDate'])) if (values[name] !== before[name] && values[name] !== '') changes[name] = `${values[name]}T00:00:00Z`;
  const [old, wished] = [key.labels ?? {}, labelsOf(values.labels)];
  const labels = Object.fromEntries([...Object.keys(old).filter((name) => wished[name] === undefined).map((name) => [name, null]), ...Object.entries(wished).filter(([name, value]) => old[name] !== value)]);
  if (Object.keys(labels).length > 0) changes.labels = labels;
  const names = /** @type {string[]} */ (String(values.aliases).split(',').map((one) => one.trim()).filter((one) => one !== ''));
  const present = /** @type {any[]} */ (key.aliases ?? []);
  const aliases = [...present.filter((one) => !names.includes(one.alias)).map((one) => ({ index: one.index })), ...names.filter((name) => !present.some((one) => one.alias === name)).map((alias) => ({ alias }))];
  if (aliases.length > 0) changes.aliases = aliases;
  return changes;
}

/** Why a source key is revoked, by the words of KMIP. @type {Array<[string, string]>} */
export const REASONS = [['CessationOfOperation', 'It is not needed any more'], ['Superseded', 'Another one has taken its place'], ['PrivilegeWithdrawn', 'A right was withdrawn'], ['AffiliationChanged', 'It belongs to somebody else now'], ['Unspecified', 'For no stated reason'], ['KeyCompromise', 'Its material may be known to others'], ['CACompromise', 'The authority behind it may be compromised']];

/** Whether a reason makes it compromised, for good. @param {string} reason */
export const compromises = (reason) => reason.endsWith('Compromise');
