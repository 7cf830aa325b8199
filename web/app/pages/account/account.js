/** One's own account: profile, password, sessions, preferences. */
import { html, useState } from '../../view.js';
import { api } from '../../api.js';
import { useGet } from '../../data.js';
import { usePage } from '../../page.js';
import { preferences, setPreference } from '../../preferences.js';
import { changePassword, signOut, user } from '../../session.js';
import { theme, setTheme, THEMES } from '../../theme.js';
import { Card, Chip, ErrorNote, Pairs, Time } from '../../components/bits.js';
import { showError } from '../../components/over.js';
import { FormNote, TextField, useForm } from '../../components/form.js';
import { Segments } from '../../components/segments.js';
import { Head } from '../../components/head.js';
import { Button } from '../../components/popup.js';
import { toast } from '../../components/toast.js';
import { Sessions, endOthers } from './sessions.js';

export function Account() {
  usePage({ title: 'Your account', call: { path: '/auth/self/user', query: {} } });
  const read = useGet('/auth/self/user');
  const me = read.data ?? user.value;
  if (!me) return html`<div class="body"><${ErrorNote} error=${read.error} again=${read.reload} /></div>`;
  return html`<div class="page"><${Head} title="Your account" beside=${html`<bdi class="t2">${me.username}</bdi>`} actions=${html`<${Button} icon="log-out" onClick=${() => signOut().catch(showError)}>Sign out<//>`} />
    <div class="body"><div class="columns even"><div class="column">
        <${Card} title="Profile"><${Profile} me=${me} set=${(/** @type {any} */ row) => { read.set(row); user.value = row; }} /><//>
        <${Card} title="Password" sub=${html`changed <${Time} at=${me.password_changed_at} />`}><${Password} me=${me} /><//>
        <${Card} title="Preferences"><div class="column"><div class="field"><span class="legend">Theme</span><${Segments} label="Theme" value=${theme.value} onChange=${setTheme} options=${THEMES.map(([id, label]) => [id, label])} /></div>
          <label class="check"><input type="checkbox" class="switch" role="switch" checked=${preferences.value.letters !== false} onChange=${(/** @type {any} */ { target: { checked } }) => setPreference('letters', () => checked)} /><span>Single letters are keys: <kbd>G</kbd> <kbd>K</kbd> goes to the keys, <kbd>?</kbd> shows them all</span></label></div><//></div>
      <div class="column"><${Card} title="What you are"><${Pairs} of=${[['Groups', html`<span class="row wrap">${(me.groups ?? []).map((/** @type {string} */ group) => html`<${Chip} key=${group}><bdi>${group}</bdi><//>`)}${(me.groups ?? []).length === 0 && html`<span class="t3">none</span>`}</span>`], ['Last sign-in', html`<${Time} at=${me.last_login} />`], ['Sign-ins', me.logins_count], ['Password policy', me.password_policy]]} /><//>
        <${Card} title="Sessions" acts=${html`<button type="button" class="link" onClick=${endOthers}>Sign out everywhere else…</button>`}><${Sessions} userId=${me.user_id} most=${8} /><//></div></div></div></div>`;
}

/** @param {{me: any, set: (row: any) => void}} props */
function Profile({ me, set }) {
  const first = { name: me.name ?? '', nickname: me.nickname ?? '', email: me.email ?? '' };
  const form = useForm(null, first);
  const differs = Object.entries(first).some(([name, value]) => form.values[name] !== value);
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const answer = await form.submit((values) => api.patch('/auth/self/user', values));
    if (!answer) return;
    set(answer);
    toast('Your profile is saved.');
  };
  return html`<form class="column" onSubmit=${save}><div class="form"><${TextField} form=${form} name="name" label="Name" optional autocomplete="name" /><${TextField} form=${form} name="nickname" label="Nickname" optional autocomplete="nickname" /><${TextField} form=${form} name="email" label="Email" optional type="email" autocomplete="email" full /></div><${FormNote} form=${form} /><div><${Button} type="submit" busy=${form.busy} disabled=${!differs}>Save the profile<//></div></form>`;
}

/** @param {{me: any}} props */
function Password({ me }) {
  const [values, setValues] = useState({ old: '', next: '' });
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState(/** @type {any} */ (null));
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    setRefused(null);
    const answer = await changePassword(me.username, values.old, values.next).catch((error) => error);
    setBusy(false);
    if (answer) return setRefused(answer);
    setValues({ old: '', next: '' });
    return toast('Your password is changed. Other sessions ended.');
  };
  const field = (/** @type {'old' | 'next'} */ name, /** @type {string} */ label, /** @type {string} */ kind) => html`<div class="field"><label for=${`password-${name}`}>${label}</label><input id=${`password-${name}`} class="input" type="password" autocomplete=${kind} value=${values[name]} onInput=${(/** @type {any} */ event) => setValues({ ...values, [name]: event.target.value })} /></div>`;
  return html`<form class="column" onSubmit=${save}><div class="form">${field('old', 'Present password', 'current-password')}${field('next', 'New password', 'new-password')}</div><${ErrorNote} error=${refused} /><div><${Button} type="submit" busy=${busy} disabled=${values.old === '' || values.next === ''}>Change the password<//></div></form>`;
}
