/** Sign-in, with the lockout's end counted down, and the forced change of password on the same page. */
import { html, useEffect, useState } from '../../view.js';
import { info } from '../../info.js';
import { changePassword, elsewhere, signIn, user } from '../../session.js';
import { sentence } from '../../lib/text.js';
import { clockSeconds } from '../../lib/time.js';
import { theme, setTheme, THEMES } from '../../theme.js';
import { Note } from '../../components/bits.js';
import { Icon, Mark } from '../../components/icon.js';
import { KeyPicture } from './picture.js';

export function SignInPage() {
  useEffect(() => {
    document.title = `Sign in · ${info.value.title}`;
  }, []);
  const at = THEMES.findIndex(([id]) => id === theme.value);
  const next = THEMES[(at + 1) % THEMES.length];
  return html`<main class="sign-in"><div class="side"><div class="row"><${Mark} size=${26} /><span class="wordmark">Claviger</span>${info.value.lab && html`<span class="chip brass">LAB</span>`}</div>
    <${SignInForm} />
    <div class="row small t2"><span>${info.value.notice || 'Authorised people only. Every sign-in is recorded.'}</span><button type="button" class="row end" onClick=${() => setTheme(next[0])} aria-label=${`Theme: ${THEMES[at][1]}. Change it`}><${Icon} name=${THEMES[at][2]} />${THEMES[at][1]}</button></div></div>
    <div class="picture" aria-hidden="true"><${KeyPicture} /></div></main>`;
}

/** "4 min 12 s". @param {number} seconds */
const left = (seconds) => (seconds >= 60 ? `${Math.floor(seconds / 60)} min ${seconds % 60} s` : `${seconds} s`);

/** @param {{again?: boolean}} props again: over a page whose session has ended */
export function SignInForm({ again }) {
  const [name, setName] = useState(again ? user.value?.username ?? '' : '');
  const [password, setPassword] = useState('');
  const [next, setNext] = useState('');
  const [repeat, setRepeat] = useState('');
  const [due, setDue] = useState(false);
  const [refusal, setRefusal] = useState(/** @type {any} */ (null));
  const [until, setUntil] = useState(0);
  const [time, setTime] = useState(Date.now());
  const [busy, setBusy] = useState(false);
  const locked = until > time;

  useEffect(() => {
    if (!locked) return undefined;
    const timer = setInterval(() => setTime(Date.now()), 500);
    return () => clearInterval(timer);
  }, [locked]);
  useEffect(() => document.getElementById('sign-in-next')?.focus(), [due]);

  const refused = (/** @type {any} */ said) => {
    if (said.reason === 'password_change_due') {
      setDue(true);
      setRefusal(null);
    } else if (said.status === 429 && said.wait > 0) {
      setUntil(Date.now() + said.wait * 1000);
      setTime(Date.now());
      setRefusal(said);
    } else setRefusal(said);
  };
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (busy || locked) return;
    if (due && next !== repeat) return setRefusal({ message: 'The two new passwords differ.' });
    setBusy(true);
    setRefusal(null);
    try {
      const said = due ? await changePassword(name, password, next) : null;
      const result = said ?? (await signIn(name, due ? next : password));
      if (result) refused(result);
    } catch {
      setRefusal({ message: 'The server does not answer. What you typed stays.' });
    }
    setBusy(false);
    return undefined;
  };
  return html`<form onSubmit=${submit} class=${again && elsewhere.value ? 'signed-out' : ''}>
    <div><h1>${due ? 'A password of your own' : again ? 'Sign in again' : 'Sign in'}</h1><p class="t2">${due ? 'The present one must be changed before you go on.' : again ? `${elsewhere.value ? 'You signed out in another tab' : 'The session has ended'}. The page behind this is kept as it is.` : html`to ${info.value.title}`}</p></div>
    <${Line} id="name" label="User name" value=${name} set=${setName} autocomplete="username" first=${name === ''} disabled=${due} />
    <${Line} id="password" label=${due ? 'Present password' : 'Password'} value=${password} set=${setPassword} secret autocomplete="current-password" first=${name !== '' && !due} />
    ${due && html`<${Line} id="next" label="New password" value=${next} set=${setNext} secret autocomplete="new-password" first /><${Line} id="repeat" label="New password, once more" value=${repeat} set=${setRepeat} secret autocomplete="new-password" />`}
    ${locked ? html`<${Note} tone="warn" icon="lock" live><b>Locked until ${clockSeconds(until)} UTC</b>, in ${left(Math.ceil((until - time) / 1000))}, after too many wrong passwords. What you typed stays.<//>`
      : refusal && html`<${Note} tone="danger">${refusal.reason === 'credentials_wrong' ? 'The user name or the password is wrong.' : sentence(refusal.message)}<//>`}
    <button type="submit" class="button ink" disabled=${busy || locked || name === '' || password === ''}>${locked ? `Sign in at ${clockSeconds(until)}` : busy ? 'Signing in…' : due ? 'Change it and sign in' : 'Sign in'}</button>
    ${!due && !again && html`<p class="small t2">Forgot it? An administrator can set a new one; on the machine itself: <code>claviger admin reset-password</code></p>`}</form>`;
}

/** @param {{id: string, label: string, value: string, set: (text: string) => void, secret?: boolean, autocomplete: string, first?: boolean, disabled?: boolean}} props */
function Line({ id, label, value, set, secret, autocomplete, first, disabled }) {
  const [seen, setSeen] = useState(false);
  return html`<div class="field"><label for=${`sign-in-${id}`}>${label}</label><div class="input"><input id=${`sign-in-${id}`} type=${secret && !seen ? 'password' : 'text'} value=${value} autocomplete=${autocomplete} autocapitalize="none" spellcheck="false" autofocus=${first} data-first=${first ? '' : undefined} disabled=${disabled}
    onInput=${(/** @type {any} */ event) => set(event.target.value)} />${secret && html`<button type="button" class="tiny" aria-label=${seen ? 'Hide it' : 'Show it'} aria-pressed=${seen} onClick=${() => setSeen(!seen)}><${Icon} name=${seen ? 'eye-off' : 'eye'} /></button>`}</div></div>`;
}
