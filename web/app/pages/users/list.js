/** The list of users: who is locked, in which groups; one opens beside the list. */
import { html, useState } from '../../view.js';
import { usePage } from '../../page.js';
import { go, query, setQuery } from '../../router.js';
import { shared } from '../../data.js';
import { lacksRight } from '../../rights.js';
import { Avatar, Chip, Empty, Time } from '../../components/bits.js';
import { Head } from '../../components/head.js';
import { List } from '../../components/list/list.js';
import { Button } from '../../components/popup.js';
import { UserPanel } from './user.js';
import { Areas, USERS, UserState } from './parts.js';

/** @type {import('../../components/list/filters.js').Filter[]} */
const FILTERS = [
  { name: 'groups', title: 'Group', many: true, options: async () => (await shared('/usermgmt/groups', { limit: 200, sort: 'name' })).resources.map((/** @type {any} */ one) => [one.name, one.name]) },
  { name: 'username', title: 'User name' }, { name: 'name', title: 'Name' }, { name: 'email', title: 'Email' },
];

/** @type {import('../../components/list/table.js').Column[]} */
const COLUMNS = [
  { id: 'username', title: 'User', width: 230, sort: 'username', cell: (row) => html`<span class="row"><${Avatar} name=${row.username} /><bdi class="name cut" data-tip-cut=${row.username}>${row.username}</bdi></span>`, second: (row) => html`<bdi>${row.name || row.email || (row.groups ?? []).join(', ')}</bdi>` },
  { id: 'state', title: 'State', width: 148, cell: (row) => html`<${UserState} row=${row} />` },
  { id: 'groups', title: 'Groups', leaves: 2, cell: (row) => html`<span class="row">${(row.groups ?? []).slice(0, 3).map((/** @type {string} */ group) => html`<${Chip} key=${group}><bdi>${group}</bdi><//>`)}${row.groups?.length > 3 && html`<span class="small t2" data-tip=${row.groups.join(', ')}>+${row.groups.length - 3}</span>`}</span>` },
  { id: 'name', title: 'Name', width: 160, sort: 'name', hidden: true, cell: (row) => html`<bdi class="t2 cut">${row.name}</bdi>` },
  { id: 'last', title: 'Last sign-in', width: 130, sort: 'last_login', cell: (row) => html`<span class="t2"><${Time} at=${row.last_login} /></span>` },
  { id: 'failed', title: 'Wrong passwords', width: 132, end: true, leaves: 1, cell: (row) => html`<span class=${row.failed_logins_count > 0 ? 'warn' : 't3'}>${row.failed_logins_count}</span>` },
  { id: 'email', title: 'Email', width: 200, sort: 'email', hidden: true, cell: (row) => html`<bdi class="t2 cut">${row.email}</bdi>` },
  { id: 'policy', title: 'Password policy', width: 120, hidden: true, cell: (row) => row.password_policy },
  { id: 'changed', title: 'Password changed', width: 140, hidden: true, cell: (row) => html`<${Time} at=${row.password_changed_at} />` },
  { id: 'created', title: 'Added', width: 130, sort: 'created_at', hidden: true, cell: (row) => html`<${Time} at=${row.created_at} />` },
];

export function UserList() {
  const opened = query.value.open === undefined ? null : String(query.value.open);
  const [rows, setRows] = useState(/** @type {any[]} */ ([]));
  usePage({ title: 'Users', crumbs: [{ label: 'Users and groups', href: USERS }, { label: 'Users' }], terraform: 'data "ciphertrust_cm_users_list" "all" {\n}' });
  const missing = lacksRight('users');
  const add = () => go(`${USERS}?new=1`);
  const at = rows.findIndex((row) => row.user_id === opened);
  const walk = (/** @type {number} */ to) => (at >= 0 && rows[to] ? () => setQuery({ open: rows[to].user_id }) : null);
  return html`<div class="page full"><${Head} title="Users and groups" actions=${html`<${Button} class="ink" icon="user-plus" kbd="C" missing=${missing} onClick=${add}>Create a user<//>`} /><${Areas} />
    <${List} path=${USERS} noun=${['user', 'users']} columns=${COLUMNS} filters=${FILTERS} sort="username" search=${{ placeholder: 'User name, name, email' }} id=${(/** @type {any} */ row) => row.user_id} panel onRead=${(/** @type {any} */ answer) => setRows(answer.resources)}
      beside=${opened && html`<${UserPanel} key="panel" id=${opened} previous=${walk(at - 1)} next=${walk(at + 1)} />`} empty=${html`<${Empty} icon="users" title="Nobody has this name." />`} /></div>`;
}

/** `/usermgmt/users/{id}` leads to the list with the user opened. @param {{id: string}} props */
export function OpenUser({ id }) {
  queueMicrotask(() => go(`${USERS}?open=${encodeURIComponent(id)}`, { replace: true }));
  return null;
}
