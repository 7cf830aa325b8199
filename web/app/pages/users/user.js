/** One user beside the list: state, groups, sessions, what she may; acts on her. */
import { html } from '../../view.js';
import { api, versionOf } from '../../api.js';
import { changed, shared, useGet } from '../../data.js';
import { useOpened } from '../../page.js';
import { lacksRight } from '../../rights.js';
import { setQuery } from '../../router.js';
import { user as me } from '../../session.js';
import { queryString, segment } from '../../lib/query.js';
import { userResource } from '../../lib/terraform.js';
import { Avatar, ErrorNote, Note, Pairs, Skeleton, Time } from '../../components/bits.js';
import { ask } from '../../components/dialog.js';
import { act, showError } from '../../components/over.js';
import { SidePanel } from '../../components/head.js';
import { Lately } from '../../components/history.js';
import { Icon } from '../../components/icon.js';
import { Button, Menu } from '../../components/popup.js';
import { Sessions } from '../account/sessions.js';
import { makePassword, MayOnKms, POLICIES, PRIVILEGED, USERS, UserState } from './parts.js';

/** @param {{id: string, previous: (() => void) | null, next: (() => void) | null}} props */
export function UserPanel({ id, previous, next }) {
  const path = `${USERS}/${segment(id)}`;
  const read = useGet(path);
  const row = read.data;
  useOpened({ call: { path, query: {} }, terraform: row && userResource(row) });
  return html`<${SidePanel} title=${row ? html`<bdi>${row.username}</bdi>` : 'User'} previous=${previous} next=${next} beside=${row && html`<${UserState} row=${row} />`} actions=${row && html`<${Acts} row=${row} path=${path} set=${read.set} />`}>
    ${read.error ? html`<div class="panel-body">${read.error.status === 404 ? html`<p class="t2">There is no such user.</p>` : html`<${ErrorNote} error=${read.error} again=${read.reload} />`}</div>` : !row ? html`<div class="panel-body"><${Skeleton} rows=${6} /></div>` : html`<${Inside} row=${row} path=${path} set=${read.set} />`}<//>`;
}

/** @param {{row: any, path: string, set: (row: any) => void}} props */
function Acts({ row, path, set }) {
  const mine = me.value?.groups?.includes('admin');
  const privileged = (row.groups ?? []).some((/** @type {string} */ group) => PRIVILEGED.includes(group));
  const missing = lacksRight('users') ?? (privileged && !mine ? 'membership in admin' : undefined);
  const began = versionOf(path);
  const profile = async () => {
    // Only administrators read the policies.
    const policies = mine ? (await shared(POLICIES, { fields: 'policy_name', limit: 200 })).resources.map((/** @type {any} */ one) => one.policy_name) : [];
    const own = mine ? { password_policy: row.password_policy || 'global' } : {};
    const answer = await ask({
      title: `The profile of ${row.username}`, act: 'Save the profile', tone: 'ink', keep: 'Leave it', values: { name: row.name ?? '', nickname: row.nickname ?? '', email: row.email ?? '', console: !row.login_flags?.prevent_ui_login, ...own },
      fields: (values, put) => html`<div class="column grow">${[['name', 'Name'], ['nickname', 'Nickname'], ['email', 'Email']].map(([name, label]) => html`<div class="field" key=${name}><label for=${`user-${name}`}>${label}</label><input id=${`user-${name}`} name=${name} class="input" value=${values[name]} onInput=${(/** @type {any} */ event) => put({ ...values, [name]: event.target.value })} /></div>`)}
        ${mine && html`<div class="field"><label for="user-policy">Password policy</label><select id="user-policy" name="password_policy" class="select" onChange=${(/** @type {any} */ event) => put({ ...values, password_policy: event.target.value })}>${policies.map((/** @type {string} */ one) => html`<option value=${one} selected=${one === values.password_policy}>${one}</option>`)}</select><div class="hint">For the next password; the present one stays.</div></div>`}
        <label class="check"><input type="checkbox" class="box" name="login_flags" checked=${values.console} onChange=${(/** @type {any} */ event) => put({ ...values, console: event.target.checked })} /><span>May sign in to the console</span></label></div>`,
      run: ({ console, ...values }, api) => api.patch(path, { ...values, login_flags: { prevent_ui_login: !console } }, { version: began }),
    });
    if (answer) {
      set(answer);
      changed(USERS);
    }
  };
  const password = () => ask({
    title: `A new password for ${row.username}`, act: 'Set the password', keep: 'Keep the present one', text: 'The present one does not work any more, and all sessions end.', values: { password: makePassword(), must: true },
    fields: (values, put) => html`<div class="column grow"><div class="field"><label for="new-password">New password</label><input id="new-password" name="password" class="input mono" value=${values.password} autocomplete="off" spellcheck="false" onInput=${(/** @type {any} */ event) => put({ ...values, password: event.target.value })} /><div class="hint">Shown only here: hand it over in safety.</div></div>
      <label class="check"><input type="checkbox" class="box" checked=${values.must} onChange=${(/** @type {any} */ event) => put({ ...values, must: event.target.checked })} /><span>Must be changed at the next sign-in</span></label></div>`,
    run: (values) => api.patch(path, { password: values.password, password_change_required: values.must }, { version: began }),
  }).then((answer) => answer && (set(answer), changed(USERS)));
  const remove = () => ask({
    title: `Delete the user ${row.username}?`, level: 3, name: row.username, act: 'Delete the user', keep: 'Keep the user',
    text: 'All sessions end, and all permissions on KMSs go with the user. What the user did stays in the audit log.', run: (_, api) => api.delete(path), dry: true,
  }).then((answer) => {
    if (!answer) return;
    setQuery({ open: null });
    changed(USERS);
  });
  return html`<${Menu} class="tiny" name="Acts" label=${html`<${Icon} name="ellipsis" />`} items=${[
    { label: 'Edit the profile…', icon: 'pencil', act: () => profile().catch(showError), missing }, { label: 'Reset the password…', icon: 'key-round', act: password, missing },
    { label: 'What this user did', icon: 'scroll-text', href: `/audit/records${queryString({ username: row.username })}`, missing: lacksRight('admin') }, 'line', { label: 'Delete…', icon: 'trash-2', danger: true, act: remove, missing },
  ]} />`;
}

/** @param {{row: any, path: string, set: (row: any) => void}} props */
function Inside({ row, path, set }) {
  const admin = me.value?.groups?.includes('admin');
  const groups = useGet('/usermgmt/groups', { limit: 200, sort: 'name' });
  const missing = lacksRight('users');
  const own = /** @type {string[]} */ (row.groups ?? []);
  const others = (groups.data?.resources ?? []).map((/** @type {any} */ one) => one.name).filter((/** @type {string} */ one) => !own.includes(one));
  const lacks = (/** @type {string} */ group) => missing ?? (PRIVILEGED.includes(group) && !admin ? 'membership in admin' : undefined);
  const put = (/** @type {'post' | 'delete'} */ how, /** @type {string} */ group) => (how === 'post' ? api.post : api.delete)(`/usermgmt/groups/${segment(group)}/users/${segment(row.user_id)}`).then(() => (changed(USERS), changed('/usermgmt/groups')));
  const join = (/** @type {string} */ group) => act(() => put('post', group), `${row.username} is in ${group}.`, () => put('delete', group));
  const leave = (/** @type {string} */ group) => act(() => put('delete', group), `${row.username} is not in ${group} any more.`, () => put('post', group));
  const unlock = () => act(async () => { set(await api.patch(path, { failed_logins_count: 0 })); changed(USERS); }, `${row.username} may sign in again.`);
  return html`${row.account_lockout_at && html`<div class="panel-body"><${Note} tone="danger" icon="lock" acts=${html`<${Button} class="small" missing=${missing} onClick=${unlock}>Unlock<//>`}><b>Locked after ${row.failed_logins_count} wrong passwords.</b> Since <${Time} at=${row.account_lockout_at} />.<//></div>`}
    <section><${Pairs} of=${[row.name && ['Name', html`<bdi>${row.name}</bdi>`], row.email && ['Email', html`<bdi>${row.email}</bdi>`], ['Last sign-in', html`<${Time} at=${row.last_login} />`], ['Sign-ins', row.logins_count],
      ['Wrong passwords', html`<span class="row"><span class=${row.failed_logins_count > 0 ? 'warn' : ''}>${row.failed_logins_count}</span>${row.failed_logins_count > 0 && !row.account_lockout_at && html`<button type="button" class="link" onClick=${unlock}>Forget them</button>`}</span>`],
      ['Password', html`<span>changed <${Time} at=${row.password_changed_at} />${row.password_change_required && html`, <span class="warn">a new one is due</span>`}</span>`], ['Policy', row.password_policy], ['Added', html`<${Time} at=${row.created_at} />`]]} /></section>
    <section><h3 class="row">Groups<span class="end"><${Menu} class="button small quiet" label=${html`<${Icon} name="plus" size="small" />Add to`} items=${others.length > 0 ? others.map((/** @type {string} */ group) => ({ label: group, icon: 'users', act: () => join(group), missing: lacks(group) })) : [{ label: 'In all of them' }]} /></span></h3>
      ${own.length === 0 && html`<p class="t2">In no group.</p>`}<ul class="plain">${own.map((group) => html`<li key=${group} class="row"><${Avatar} name=${group} group /><a class="plain" href=${`/usermgmt/groups${queryString({ open: group })}`}><bdi class="cut">${group}</bdi></a><span class="end"><${Button} class="small quiet" missing=${lacks(group)} onClick=${() => leave(group)}>Take out<//></span></li>`)}</ul></section>
    <section><h3>May on KMSs</h3><${MayOnKms} is=${(/** @type {any} */ acl) => acl.user_id === row.user_id} all=${own.includes('admin') || own.includes('CCKM Admins')} /></section>
    ${(admin || row.user_id === me.value?.user_id) && html`<section><h3>Sessions</h3><${Sessions} userId=${row.user_id} /></section>`}
    <${Lately} path=${path} resource=${`user/${row.user_id.replace(/^local\|/, '')}`} self=${row.username} />`;
}
