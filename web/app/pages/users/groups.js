/** The list of groups; one opens beside the list with its members and what they may. */
import { html, useState } from '../../view.js';
import { api, versionIn } from '../../api.js';
import { changed, shared, useGet } from '../../data.js';
import { useOpened, usePage } from '../../page.js';
import { lacksRight } from '../../rights.js';
import { go, query, setQuery } from '../../router.js';
import { user as me } from '../../session.js';
import { queryString, segment } from '../../lib/query.js';
import { number, plural } from '../../lib/text.js';
import { groupResource } from '../../lib/terraform.js';
import { Avatar, Chip, ErrorNote, Skeleton, Time } from '../../components/bits.js';
import { ask } from '../../components/dialog.js';
import { act } from '../../components/over.js';
import { Head, SidePanel } from '../../components/head.js';
import { Lately } from '../../components/history.js';
import { Icon } from '../../components/icon.js';
import { List } from '../../components/list/list.js';
import { Button, Menu } from '../../components/popup.js';
import { Areas, GROUPS, MayOnKms, PRIVILEGED, SYSTEM, USERS } from './parts.js';

/** @type {import('../../components/list/table.js').Column[]} */
const COLUMNS = [
  { id: 'name', title: 'Group', width: 260, sort: 'name', cell: (row) => html`<span class="row"><${Avatar} name=${row.name} group /><bdi class="name cut" data-tip-cut=${row.name}>${row.name}</bdi></span>`, second: (row) => html`<bdi>${row.description}</bdi>` },
  { id: 'description', title: 'Description', leaves: 2, cell: (row) => html`<bdi class="t2 cut" data-tip-cut=${row.description}>${row.description}</bdi>` },
  { id: 'members', title: 'Members', width: 96, end: true, cell: (row) => number(row.users_count ?? 0) },
  { id: 'kind', title: 'Kind', width: 110, leaves: 1, cell: (row) => (SYSTEM.includes(row.name) ? html`<${Chip}>system<//>` : '') },
  { id: 'created', title: 'Added', width: 130, sort: 'created_at', hidden: true, cell: (row) => html`<${Time} at=${row.created_at} />` },
];

/** Asks for a name and a description. @param {string} title @param {string} label @param {any} values @param {import('../../components/dialog.js').Question['run']} run @param {boolean} [fixed] the name stays */
const askGroup = (title, label, values, run, fixed) => ask({
  title, act: label, tone: 'ink', keep: 'Leave it', values, run,
  fields: (present, put) => html`<div class="column grow"><div class="field"><label for="group-name">Name</label><input id="group-name" name="name" class="input" value=${present.name} disabled=${fixed} onInput=${(/** @type {any} */ event) => put({ ...present, name: event.target.value })} /></div><div class="field"><label for="group-text">Description <span class="optional">optional</span></label><input id="group-text" name="description" class="input" value=${present.description} onInput=${(/** @type {any} */ event) => put({ ...present, description: event.target.value })} /></div></div>`,
});

export function GroupList() {
  const opened = query.value.open === undefined ? null : String(query.value.open);
  const [rows, setRows] = useState(/** @type {any[]} */ ([]));
  usePage({ title: 'Groups', crumbs: [{ label: 'Users and groups', href: USERS }, { label: 'Groups' }] });
  const missing = lacksRight('users');
  const add = () => askGroup('A new group', 'Create the group', { name: '', description: '' }, (values, api) => api.post(GROUPS, values)).then((answer) => answer && (changed(GROUPS), setQuery({ open: answer.name })));
  const at = rows.findIndex((row) => row.name === opened);
  const walk = (/** @type {number} */ to) => (at >= 0 && rows[to] ? () => setQuery({ open: rows[to].name }) : null);
  return html`<div class="page full"><${Head} title="Users and groups" actions=${html`<${Button} class="ink" icon="plus" kbd="C" missing=${missing} onClick=${add}>Create a group<//>`} /><${Areas} />
    <${List} path=${GROUPS} noun=${['group', 'groups']} columns=${COLUMNS} filters=${[{ name: 'name', title: 'Name' }]} sort="name" search=${{ placeholder: 'Name' }} id=${(/** @type {any} */ row) => row.name} panel onRead=${(/** @type {any} */ answer) => setRows(answer.resources)}
      beside=${opened && html`<${GroupPanel} key=${opened} name=${opened} previous=${walk(at - 1)} next=${walk(at + 1)} />`} /></div>`;
}

/** @param {{name: string, previous: (() => void) | null, next: (() => void) | null}} props */
function GroupPanel({ name, previous, next }) {
  const path = `${GROUPS}/${segment(name)}`;
  const read = useGet(path);
  const missing = lacksRight('users');
  const members = useGet(missing ? null : `${path}/users`, { sort: 'username', limit: 200 });
  const admin = me.value?.groups?.includes('admin');
  const lacks = missing ?? (PRIVILEGED.includes(name) && !admin ? 'membership in admin' : undefined);
  const system = SYSTEM.includes(name);
  const row = read.data;
  useOpened({ call: { path, query: {} }, terraform: row && groupResource(row) });
  const done = () => {
    changed(GROUPS);
    changed(USERS);
  };
  const edit = () => askGroup(`The group ${name}`, 'Save the group', { name, description: row?.description ?? '' }, (values, api) => api.patch(path, system ? { description: values.description } : values, { version: versionIn(row) }), system).then((answer) => answer && (done(), setQuery({ open: answer.name })));
  const remove = () => ask({ title: `Delete the group ${name}?`, level: 3, name, act: 'Delete the group', keep: 'Keep the group', text: 'All its permissions on KMSs go with it; its members lose them.', run: (_, api) => api.delete(path), dry: true }).then((answer) => answer && (done(), setQuery({ open: null })));
  const put = (/** @type {'post' | 'delete'} */ how, /** @type {any} */ who) => (how === 'post' ? api.post : api.delete)(`${path}/users/${segment(who.user_id)}`).then(done);
  const out = (/** @type {any} */ who) => act(() => put('delete', who), `${who.username} is not in ${name} any more.`, () => put('post', who));
  const add = async () => {
    const all = (await shared(USERS, { limit: 1000, sort: 'username' })).resources.filter((/** @type {any} */ one) => !one.groups?.includes(name));
    ask({
      title: `Add somebody to ${name}`, act: 'Add to the group', tone: 'ink', keep: 'Leave it', values: { id: all[0]?.user_id ?? '' },
      fields: (values, set) => html`<div class="field grow"><label for="member">User</label><select id="member" name="user_id" class="select" onChange=${(/** @type {any} */ event) => set({ id: event.target.value })}>${all.map((/** @type {any} */ one) => html`<option value=${one.user_id} selected=${one.user_id === values.id}>${one.username}${one.name ? `, ${one.name}` : ''}</option>`)}</select></div>`,
      run: (values, api) => api.post(`${path}/users/${segment(values.id)}`).then(done),
    });
  };
  const rows = members.data?.resources ?? [];
  return html`<${SidePanel} title=${html`<bdi>${name}</bdi>`} previous=${previous} next=${next} beside=${system && html`<${Chip}>system<//>`} actions=${html`<${Menu} class="tiny" name="Acts" label=${html`<${Icon} name="ellipsis" />`} items=${[{ label: 'Edit…', icon: 'pencil', act: edit, missing: lacks }, { label: 'Its history', icon: 'history', href: `/audit/records${queryString({ resource: `group/${name}` })}`, missing: lacksRight('admin') }, 'line', { label: 'Delete…', icon: 'trash-2', danger: true, act: remove, missing: system ? 'what system groups do not allow' : lacks }]} />`}>
    ${read.error ? html`<div class="panel-body">${read.error.status === 404 ? html`<p class="t2">There is no such group.</p>` : html`<${ErrorNote} error=${read.error} again=${read.reload} />`}</div>` : html`
    ${row?.description && html`<section><bdi class="t2">${row.description}</bdi></section>`}
    <section><h3 class="row">Members${members.data && html`<span class="small t2">${number(members.data.total)}</span>`}<span class="end"><${Button} class="small quiet" icon="plus" missing=${lacks} onClick=${add}>Add<//></span></h3>
      ${missing ? html`<p class="t2">${plural(row?.users_count ?? 0, 'member')}. Who they are is for those with ${missing}.</p>` : !members.data ? html`<${Skeleton} rows=${3} />` : rows.length === 0 && html`<p class="t2">Nobody is in it.</p>`}
      <ul class="plain">${rows.map((/** @type {any} */ one) => html`<li key=${one.user_id} class="row"><${Avatar} name=${one.username} /><a class="plain" href=${`${USERS}${queryString({ open: one.user_id })}`}><bdi class="cut">${one.username}</bdi></a><span class="end"><${Button} class="small quiet" missing=${lacks} onClick=${() => out(one)}>Take out<//></span></li>`)}</ul></section>
    <section><h3>May on KMSs</h3><${MayOnKms} is=${(/** @type {any} */ acl) => acl.group === name} all=${['admin', 'CCKM Admins'].includes(name)} /></section>
    ${!missing && html`<${Lately} path=${path} resource=${`group/${name}`} />`}`}<//>`;
}

/** `/usermgmt/groups/{name}` leads to the list with the group opened. @param {{name: string}} props */
export function OpenGroup({ name }) {
  queueMicrotask(() => go(`${GROUPS}?open=${encodeURIComponent(name)}`, { replace: true }));
  return null;
}
