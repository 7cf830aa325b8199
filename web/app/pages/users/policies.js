/** Password policies: the rules in words, and a form beside the list. */
import { html, useState } from '../../view.js';
import { api } from '../../api.js';
import { changed, useGet } from '../../data.js';
import { useOpened, usePage } from '../../page.js';
import { query, setQuery } from '../../router.js';
import { segment } from '../../lib/query.js';
import { plural } from '../../lib/text.js';
import { passwordPolicyResource } from '../../lib/terraform.js';
import { ErrorNote, Name, Skeleton } from '../../components/bits.js';
import { ask } from '../../components/dialog.js';
import { FormNote, TextField, useForm } from '../../components/form.js';
import { Head, SidePanel } from '../../components/head.js';
import { List } from '../../components/list/list.js';
import { Button } from '../../components/popup.js';
import { toast } from '../../components/toast.js';
import { Areas, POLICIES, USERS } from './parts.js';

/** The rules in words. @param {any} row */
function rules(row) {
  const kinds = [['upper_case', 'capital'], ['lower_case', 'small letter'], ['digits', 'digit'], ['other', 'other sign']].map(([member, word]) => [row[`inclusive_min_${member}`], word]).filter(([count]) => count > 0).map(([count, word]) => plural(count, word));
  return `${row.inclusive_min_total_length} to ${row.inclusive_max_total_length} characters${kinds.length > 0 ? `, at least ${kinds.join(', ')}` : ''}`;
}

/** After how many wrong passwords how many minutes. @param {any} row */
function lockout(row) {
  const thresholds = /** @type {number[]} */ (row.failed_logins_lockout_thresholds ?? []);
  const first = thresholds.findIndex((minutes) => minutes > 0);
  return first < 0 ? 'never' : `from the ${first + 1}th wrong password, ${thresholds.filter((minutes) => minutes > 0).join(', ')} min`;
}

/** @type {import('../../components/list/table.js').Column[]} */
const COLUMNS = [
  { id: 'name', title: 'Policy', width: 200, cell: (row) => html`<${Name} text=${row.policy_name} />`, second: rules },
  { id: 'rules', title: 'A password has', leaves: 2, cell: (row) => html`<span class="t2">${rules(row)}</span>` },
  { id: 'lifetime', title: 'Good for', width: 120, cell: (row) => (row.password_lifetime > 0 ? `${row.password_lifetime} d` : html`<span class="t3">always</span>`) },
  { id: 'lockout', title: 'Locks', width: 280, leaves: 1, cell: (row) => html`<span class="t2">${lockout(row)}</span>` },
];

/** @type {Array<[string, string, string?]>} */
const FIELDS = [
  ['inclusive_min_total_length', 'Shortest', 'characters'], ['inclusive_max_total_length', 'Longest', 'characters'], ['inclusive_min_upper_case', 'Capitals'], ['inclusive_min_lower_case', 'Small letters'], ['inclusive_min_digits', 'Digits'], ['inclusive_min_other', 'Other signs'],
  ['password_lifetime', 'Good for', 'days; 0: always'], ['password_change_min_days', 'Not changed before', 'days'], ['password_history_threshold', 'Not one of the last', 'passwords'], ['password_expiry_notification_days', 'Notice before the end', 'days, for clients'],
];

export function PolicyList() {
  const opened = query.value.open === undefined ? null : String(query.value.open);
  usePage({ title: 'Password policies', crumbs: [{ label: 'Users and groups', href: USERS }, { label: 'Password policies' }] });
  const add = () => ask({
    title: 'A new password policy', act: 'Create the policy', tone: 'ink', keep: 'Leave it', values: { name: '' }, text: 'It begins with the rules of the global policy.',
    fields: (values, put) => html`<div class="field grow"><label for="policy-name">Name</label><input id="policy-name" name="policy_name" class="input" value=${values.name} onInput=${(/** @type {any} */ event) => put({ name: event.target.value })} /></div>`,
    run: (values, api) => api.post(POLICIES, { policy_name: values.name }),
  }).then((answer) => answer && (changed(POLICIES), setQuery({ open: answer.policy_name })));
  return html`<div class="page full"><${Head} title="Users and groups" actions=${html`<${Button} class="ink" icon="plus" onClick=${add}>Create a policy<//>`} /><${Areas} />
    <${List} path=${POLICIES} noun=${['policy', 'policies']} columns=${COLUMNS} filters=${[{ name: 'policy_name', title: 'Name' }]} id=${(/** @type {any} */ row) => row.policy_name} panel beside=${opened && html`<${PolicyPanel} key=${opened} name=${opened} />`} /></div>`;
}

/** @param {{name: string}} props */
function PolicyPanel({ name }) {
  const path = `${POLICIES}/${segment(name)}`;
  const read = useGet(path);
  useOpened({ call: { path, query: {} }, terraform: read.data && passwordPolicyResource(read.data) });
  const remove = () => ask({ title: `Delete the password policy ${name}?`, level: 3, name, act: 'Delete the policy', keep: 'Keep the policy', text: 'It can be deleted only while no user has it.', run: (_, api) => api.delete(path), dry: true }).then((answer) => answer && (changed(POLICIES), setQuery({ open: null })));
  return html`<${SidePanel} title=${html`<bdi>${name}</bdi>`} actions=${name !== 'global' && html`<${Button} class="small danger" onClick=${remove}>Delete…<//>`}>${read.error ? html`<div class="panel-body"><${ErrorNote} error=${read.error} again=${read.reload} /></div>` : !read.data ? html`<div class="panel-body"><${Skeleton} rows=${6} /></div>` : html`<${Rules} row=${read.data} path=${path} set=${read.set} />`}<//>`;
}

/** @param {{row: any, path: string, set: (row: any) => void}} props */
function Rules({ row, path, set }) {
  const valuesOf = (/** @type {any} */ of) => /** @type {Record<string, any>} */ ({ ...Object.fromEntries(FIELDS.map(([name]) => [name, of[name] ?? 0])), failed_logins_lockout_thresholds: (of.failed_logins_lockout_thresholds ?? []).join(', ') });
  // What the form began with: only what was changed is sent, so that what another one has changed meanwhile stays.
  const [began, setBegan] = useState(() => valuesOf(row));
  const form = useForm(null, began);
  const typed = FIELDS.filter(([name]) => String(form.values[name]) !== String(began[name]));
  const locks = form.values.failed_logins_lockout_thresholds;
  const body = () => ({
    ...Object.fromEntries(typed.map(([name]) => [name, Number(form.values[name])])),
    ...(locks !== began.failed_logins_lockout_thresholds && { failed_logins_lockout_thresholds: locks.split(/[,\s]+/).filter((/** @type {string} */ one) => one !== '').map(Number) }),
  });
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const answer = await form.submit(() => api.patch(path, body()));
    if (!answer) return;
    set(answer);
    setBegan(valuesOf(answer));
    form.set(valuesOf(answer));
    changed(POLICIES);
    toast(html`The password policy ${row.policy_name} is saved.`);
  };
  return html`<form class="panel-body" onSubmit=${save}><p class="t2">${rules(row)}. Locks ${lockout(row)}.</p><div class="form pairwise">${FIELDS.map(([name, label, hint]) => html`<${TextField} key=${name} form=${form} name=${name} label=${label} type="number" hint=${hint} />`)}
      <${TextField} form=${form} name="failed_logins_lockout_thresholds" label="Minutes locked" hint="After the 1st, 2nd, 3rd … wrong password; 0: not locked." full mono /></div><${FormNote} form=${form} /><div><span data-save><${Button} type="submit" class="ink" busy=${form.busy} disabled=${Object.keys(body()).length === 0}>Save the policy<//></span></div></form>`;
}
