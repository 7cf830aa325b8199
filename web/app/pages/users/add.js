/** Creates a user: name, first password, groups. */
import { html, useState } from '../../view.js';
import { api } from '../../api.js';
import { changed, useGet } from '../../data.js';
import { usePage } from '../../page.js';
import { go } from '../../router.js';
import { segment } from '../../lib/query.js';
import { withoutSecrets } from '../../lib/text.js';
import { user } from '../../session.js';
import { Card, Copy, ErrorNote, Note } from '../../components/bits.js';
import { CheckField, Field, FormNote, SelectField, TextField, useForm } from '../../components/form.js';
import { Head } from '../../components/head.js';
import { Button } from '../../components/popup.js';
import { toast } from '../../components/toast.js';
import { makePassword, POLICIES, PRIVILEGED, USERS } from './parts.js';

export function AddUser() {
  const admin = user.value?.groups?.includes('admin');
  const form = useForm('user', { username: '', name: '', email: '', password: '', password_change_required: true, password_policy: '', groups: ['CCKM Users'] }, { secrets: ['password'] });
  const { values } = form;
  const groups = useGet('/usermgmt/groups', { limit: 200, sort: 'name' });
  const policies = useGet(admin ? POLICIES : null, { limit: 200 });
  const [half, setHalf] = useState(/** @type {any} */ (null));
  const { groups: chosen, ...rest } = values;
  const body = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== ''));
  usePage({ title: 'Create a user', crumbs: [{ label: 'Users and groups', href: USERS }, { label: 'Create a user' }], call: { method: 'POST', path: USERS, query: {}, body: withoutSecrets(body, ['password']) } });
  const create = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const made = await form.submit(() => api.post(USERS, body));
    if (!made) return;
    changed(USERS);
    try {
      for (const group of chosen) await api.post(`/usermgmt/groups/${segment(group)}/users/${segment(made.user_id)}`);
    } catch (error) {
      setHalf({ made, error });
      return;
    }
    toast(html`The user ${made.username} is created.`);
    go(`${USERS}?open=${segment(made.user_id)}`);
  };
  if (half) return html`<div class="page"><${Head} title="Create a user" /><div class="body"><${Note} tone="warn"><b>${half.made.username} is created, but is not in all groups.</b><//><${ErrorNote} error=${half.error} /><div><a class="button" href=${`${USERS}?open=${segment(half.made.user_id)}`}>Open the user</a></div></div></div>`;
  const toggle = (/** @type {string} */ group) => form.set({ groups: values.groups.includes(group) ? values.groups.filter((/** @type {string} */ one) => one !== group) : [...values.groups, group] });
  return html`<div class="page"><${Head} title="Create a user" sub="What a user may do comes from groups, and from rights on KMSs." /><div class="body"><form onSubmit=${create}><${Card} class="narrow"><div class="column">
    <div class="form"><${TextField} form=${form} name="username" label="User name" placeholder="m.lindqvist" /><${TextField} form=${form} name="name" label="Name" optional />
      <${TextField} form=${form} name="email" label="Email" optional type="email" />${policies.data && html`<${SelectField} form=${form} name="password_policy" label="Password policy" none="global" options=${policies.data.resources.map((/** @type {any} */ one) => one.policy_name).filter((/** @type {string} */ one) => one !== 'global').map((/** @type {string} */ one) => [one, one])} />`}
      <${Field} form=${form} name="password" label="First password" hint="Shown only here: hand it over in safety." full>${(/** @type {any} */ control) => html`<div class="row"><div class=${`input grow ${control.bad ? 'bad' : ''}`}><input id=${control.id} class="mono" value=${control.value} autocomplete="off" spellcheck="false" aria-invalid=${control.bad} aria-describedby=${control.describedby} onInput=${(/** @type {any} */ event) => control.set(event.target.value)} />${control.value && html`<${Copy} text=${control.value} what="the password" />`}</div><button type="button" class="button" onClick=${() => control.set(makePassword())}>Make one</button></div>`}<//>
      <div class="full"><${CheckField} form=${form} name="password_change_required" label="Must be changed at the first sign-in" /></div></div>
    <fieldset><legend class="legend">Groups</legend><div class="checks">${(groups.data?.resources ?? []).map((/** @type {any} */ one) => {
      const locked = PRIVILEGED.includes(one.name) && !admin;
      return html`<label class="check" key=${one.name} data-tip=${locked ? 'Only members of admin may do this.' : one.description || undefined}><input type="checkbox" class="box" disabled=${locked} checked=${values.groups.includes(one.name)} onChange=${() => toggle(one.name)} /><bdi class="cut">${one.name}</bdi></label>`;
    })}</div></fieldset><${FormNote} form=${form} /><div class="row"><span data-save><${Button} type="submit" class="ink" busy=${form.busy} disabled=${values.username.trim() === '' || values.password === ''}>Create the user<//></span><button type="button" class="button quiet" onClick=${() => go(USERS)}>Leave</button></div></div><//></form></div></div>`;
}
