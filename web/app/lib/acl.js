/** Pure functions about the rights on a KMS: actions in groups, what an entry permits, what a change is in words. */

/** @typedef {{key: string, group?: string, user_id?: string, name: string}} Principal key: `g:<group>` or `u:<user id>` */
/** @typedef {{user_id?: string, group?: string, actions: string[]}} Acl an entry as the API shows it */

const GROUPS = /** @type {Array<[string, (action: string) => boolean]>} */ ([
  ['View', (action) => action.startsWith('view')],
  ['Material', (action) => /^key(upload|material)/.test(action)],
  ['Key stores', (action) => action.startsWith('keystore')],
  ['Keys', (action) => action.startsWith('key')],
  ['HYOK keys', (action) => action.startsWith('hyok')],
  ['CloudHSM keys', (action) => action.startsWith('cloudhsm')],
  ['Reports', (action) => action.startsWith('report')],
]);
const ORDER = ['View', 'Keys', 'Material', 'Key stores', 'HYOK keys', 'CloudHSM keys', 'Reports', 'Other'];
const WITHIN = ['viewnative', 'viewbyok', 'viewkeystore', 'viewhyokkey', 'viewcloudhsmkey', 'keycreate', 'keyupdate', 'keyrotate', 'keydelete', 'keycanceldelete', 'keysynchronize', 'keybulkoperation', 'keyupload', 'keymaterialimport', 'keymaterialdelete'];

/**
 * The rows of the table of rights: the actions of `cckm/aws/actions` in groups, each with what its APIs do.
 * @param {any[]} apis @param {Acl[]} acls `view`, which stands for two others, is only listed if somebody has it
 * @returns {Array<{title: string, actions: Array<{id: string, says: string}>}>}
 */
export function actionGroups(apis, acls) {
  /** @type {Map<string, {own: string[], shared: string[]}>} */
  const found = new Map();
  for (const api of apis) {
    for (const action of api.actions) {
      const entry = found.get(action) ?? { own: [], shared: [] };
      (api.actions.length === 1 ? entry.own : entry.shared).push(api.description);
      found.set(action, entry);
    }
  }
  const held = new Set(acls.flatMap((acl) => acl.actions));
  if (!held.has('view')) found.delete('view');
  for (const action of held) if (!found.has(action)) found.set(action, { own: [], shared: [] });
  const place = (/** @type {string} */ id) => (WITHIN.includes(id) ? WITHIN.indexOf(id) : WITHIN.length);
  return ORDER.map((title) => ({
    title,
    actions: [...found].filter(([id]) => (GROUPS.find(([, is]) => is(id))?.[0] ?? 'Other') === title)
      .map(([id, says]) => ({ id, says: together([...new Set(says.own.length > 0 ? says.own : says.shared)]) }))
      .sort((a, b) => place(a.id) - place(b.id)),
  })).filter((group) => group.actions.length > 0);
}

/** Several things that one action permits: "change a key's policy; enable, disable a key …" in one line. @param {string[]} says */
function together(says) {
  if (says.length < 3) return says.join('; ');
  return says.map((one) => one.replace(/( to| from)? an? (AWS )?key('s)?/, '').replace(/ +/g, ' ').trim()).join(', ');
}

/** @param {Acl} acl */
export const keyOf = (acl) => (acl.group !== undefined ? `g:${acl.group}` : `u:${acl.user_id}`);

/** What each principal is given here. @param {Acl[]} acls @returns {Map<string, Set<string>>} */
export const given = (acls) => new Map(acls.map((acl) => [keyOf(acl), new Set(acl.actions.flatMap((action) => (action === 'view' ? ['view', 'viewnative', 'viewbyok'] : [action])))]));

/**
 * What is wished beside what is there: wishes that are so already fall away.
 * @param {Map<string, Set<string>>} now @param {Record<string, boolean>} wishes by `<principal> <action>`
 */
export function open(now, wishes) {
  return Object.fromEntries(Object.entries(wishes).filter(([cell, permit]) => {
    const [principal, action] = split(cell);
    return (now.get(principal)?.has(action) ?? false) !== permit;
  }));
}

/** @param {string} cell @returns {[string, string]} the principal and the action */
export function split(cell) {
  const at = cell.lastIndexOf(' ');
  return [cell.slice(0, at), cell.slice(at + 1)];
}

/** The wishes as `acls` of update-acls: one entry for each principal and direction. @param {Record<string, boolean>} wishes */
export function asUpdate(wishes) {
  /** @type {Map<string, any>} */
  const entries = new Map();
  for (const [cell, permit] of Object.entries(wishes)) {
    const [principal, action] = split(cell);
    const key = `${principal} ${permit}`;
    const who = principal.startsWith('g:') ? { group: principal.slice(2) } : { user_id: principal.slice(2) };
    const entry = entries.get(key) ?? { ...who, actions: [], permit };
    entry.actions.push(action);
    entries.set(key, entry);
  }
  return [...entries.values()];
}

/** How two lists of entries differ: by principal what came and what went. @param {Acl[]} before @param {Acl[]} after */
export function difference(before, after) {
  const [old, now] = [given(before), given(after)];
  return [...new Set([...old.keys(), ...now.keys()])].map((key) => ({
    key,
    gains: [...now.get(key) ?? []].filter((action) => !old.get(key)?.has(action)),
    loses: [...old.get(key) ?? []].filter((action) => !now.get(key)?.has(action)),
  })).filter((one) => one.gains.length + one.loses.length > 0);
}
