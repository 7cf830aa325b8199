/** Who a user id or a group of an entry is: names, and which groups a user is in, as far as the caller may read them. */
import { useGet } from '../../data.js';
import { lacksRight } from '../../rights.js';
import { user } from '../../session.js';

/**
 * @typedef {object} People
 * @property {Array<{id: string, name: string, groups: string[] | null}>} users groups: null if they cannot be read
 * @property {string[]} groups
 * @property {(key: string) => string} nameOf of `g:<group>` or `u:<user id>`
 */

/** @returns {People} */
export function usePeople() {
  const me = user.value;
  const mine = /** @type {string[]} */ (me?.groups ?? []);
  const reads = mine.includes('admin') || mine.includes('User Admins') || lacksRight('users') === undefined;
  const users = useGet(reads ? '/usermgmt/users' : null, { limit: 1000, sort: 'username' });
  const names = useGet(!reads || users.error?.status === 403 ? '/cckm/aws/principals' : null, { limit: 1000 });
  const groups = useGet('/usermgmt/groups', { limit: 1000, sort: 'name' });
  const all = users.data?.resources?.map((/** @type {any} */ one) => ({ id: one.user_id, name: one.username, groups: one.groups ?? null }))
    ?? (names.data?.resources ?? []).filter((/** @type {any} */ one) => one.type === 'user').map((/** @type {any} */ one) => ({ id: one.user_id, name: one.name, groups: null }))
    ?? [];
  if (me && !all.some((/** @type {any} */ one) => one.id === me.user_id)) all.push({ id: me.user_id, name: me.username, groups: mine });
  return {
    users: all,
    groups: (groups.data?.resources ?? []).map((/** @type {any} */ one) => one.name),
    nameOf: (key) => (key.startsWith('g:') ? key.slice(2) : all.find((/** @type {any} */ one) => one.id === key.slice(2))?.name ?? key.slice(2).replace(/^local\|/, '').slice(0, 8)),
  };
}
