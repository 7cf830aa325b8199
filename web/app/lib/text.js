/** Pure functions about texts: numbers, ARNs, names, initials. */

/** A number with thin spaces: "48 213". @param {number} value */
export const number = (value) => String(value).replace(/\B(?=(\d{3})+(?!\d))/g, '\u2009');

/** "1 key", "2 keys". @param {number} count @param {string} one @param {string} [many] */
export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

/** An ARN without its middle: `arn:aws:kms:eu-west-3:…/e007d09b`. @param {string} arn */
export function shortArn(arn) {
  const parts = /^(arn:[^:]*:[^:]*:[^:]*):[^:]*:(.*)$/.exec(arn);
  if (!parts) return arn;
  const slash = parts[2].lastIndexOf('/');
  const last = slash < 0 ? parts[2] : parts[2].slice(slash + 1);
  return `${parts[1]}:…/${/^[0-9a-f]{8}-/.test(last) ? last.slice(0, 8) : last}`;
}

/** The first 8 characters of an id. @param {string} id */
export const shortId = (id) => (id.startsWith('mrk-') ? id.slice(0, 12) : id.slice(0, 8));

/** Two letters for an avatar: "key-admin" is KA, "admin" is AD. @param {string} name */
export function initials(name) {
  const words = name.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
  const letters = words.length > 1 ? [...words[0]][0] + [...words[1]][0] : [...(words[0] ?? '?')].slice(0, 2).join('');
  return letters.toUpperCase();
}

/** A message of the API as a sentence; the name of a member in front stays as it is. @param {string} text */
export const sentence = (text) => text.replace(/^[a-z](?![\w.[\]]*:)/, (letter) => letter.toUpperCase()).replace(/([^.?!…:])\s*$/, '$1.');

/** "OperationRequested" as words: "operation requested". @param {string} name */
export const spaced = (name) => name.replace(/([a-z])([A-Z])/g, '$1 $2').replace(/[_-]/g, ' ').toLowerCase();

/** The body of a call to be shown: instead of what is in members with these names there is an ellipsis. @param {any} body @param {string[]} secrets @returns {any} */
export function withoutSecrets(body, secrets) {
  if (body === null || typeof body !== 'object' || Array.isArray(body)) return body;
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, secrets.includes(name) ? '…' : withoutSecrets(value, secrets)]));
}

/** A value of the API as text: JSON, unless it is a text already. @param {any} value */
export const jsonText = (value) => (value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value, null, 2));

/** The parts of an alias: `alias/` and the name. @param {string} alias @returns {[string, string]} */
export const aliasParts = (alias) => (alias.startsWith('alias/') ? ['alias/', alias.slice(6)] : ['', alias]);

/** Bytes as people read them. @param {number} bytes */
export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/** A value as a cell of CSV (RFC 4180); what a spreadsheet would run gets a `'` in front. @param {unknown} value */
export function csvCell(value) {
  let text = value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);
  if (typeof value === 'string' && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
