/** Who is named by a policy; people of the account are chosen from IAM. */
import { html, useState } from '../../view.js';
import { api } from '../../api.js';
import { actionWords, people, permitting, principalWords, without } from '../../lib/policy.js';
import { Avatar, Chip, Empty, ErrorNote } from '../../components/bits.js';
import { Segments } from '../../components/segments.js';
import { Icon } from '../../components/icon.js';
import { Button } from '../../components/popup.js';

/** @param {{policy: any, inAws: any, row: any, set: (policy: any) => void, readOnly?: boolean}} props */
export function PolicyPeople({ policy, inAws, row: key, set, readOnly }) {
  if (!policy) return html`<${Empty} icon="circle-alert" title="This is no policy yet">Mend the JSON first.<//>`;
  const before = new Set(people(inAws).map((one) => JSON.stringify([one.principal, one.actions, one.allow])));
  const rows = people(policy);
  return html`<table class="table" aria-label="Who the policy names"><thead><tr><th>Who</th><th>May</th><th style=${{ width: '150px' }}>Statement</th>${!readOnly && html`<th style=${{ width: '96px' }}><span class="unseen">Acts</span></th>`}</tr></thead><tbody>${rows.map((one, i) => {
    const fresh = !before.has(JSON.stringify([one.principal, one.actions, one.allow]));
    const other = /:(\d{12}):/.exec(one.principal)?.[1];
    return html`<tr key=${i}><td><span class="row">${one.principal === '*' ? html`<${Icon} name="globe" class="danger" />` : html`<${Avatar} name=${principalWords(one.principal).split(' ').pop() ?? ''} group=${/:root$/.test(one.principal)} />`}<span class="cut" data-tip=${one.principal}>${principalWords(one.principal)}</span>
        ${other && other !== key.account_id && html`<${Chip} tone="warn">other account<//>`}${fresh && html`<${Chip} tone="accent">new<//>`}</span></td>
      <td><span class="cut" data-tip=${one.actions.join(', ')}>${one.allow ? '' : html`<b class="danger">not </b>`}${actionWords(one.actions)}${one.conditions && html`<span class="t3">, with conditions</span>`}</span></td>
      <td><span class="t2 cut">${one.sid || `number ${one.statement + 1}`}</span></td>${!readOnly && html`<td class="right"><button type="button" class="button small quiet" onClick=${() => set(without(policy, one.statement, one.principal))}>Take out</button></td>`}</tr>`;
  })}</tbody></table>${!readOnly && html`<${AddPeople} policy=${policy} row=${key} set=${set} />`}`;
}

/** @param {{policy: any, row: any, set: (policy: any) => void}} props */
function AddPeople({ policy, row: key, set }) {
  const [kind, setKind] = useState('roles');
  const [what, setWhat] = useState(/** @type {'use' | 'administer'} */ ('use'));
  const [found, setFound] = useState(/** @type {any[] | null} */ (null));
  const [more, setMore] = useState('');
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {any} */ (null));
  const read = async (/** @type {string} */ of, marker = '') => {
    setBusy(true);
    setError(null);
    try {
      const answer = await api.post(`/cckm/aws/get-iam-${of}`, { kms: key.kms, max_items: 100, ...(marker && { marker }) });
      const rows = (answer.Roles ?? answer.Users ?? []).map((/** @type {any} */ one) => ({ arn: one.Arn, name: one.RoleName ?? one.UserName }));
      setFound((old) => (marker ? [...(old ?? []), ...rows] : rows));
      setMore(answer.IsTruncated ? answer.Marker ?? '' : '');
    } catch (failed) {
      setError(failed);
    }
    setBusy(false);
  };
  const add = (/** @type {string} */ arn) => set(permitting(policy, [arn], what));
  const change = (/** @type {string} */ of) => {
    setKind(of);
    setFound(null);
  };
  const shown = (found ?? []).filter((one) => one.name.toLowerCase().includes(typed.toLowerCase()));
  return html`<div class="card-body column"><div class="row wrap"><b>Let</b><${Segments} small label="Kind" value=${kind} onChange=${change} options=${[['roles', 'a role'], ['users', 'a user'], ['account', 'another account']]} /><${Segments} small label="What it may" value=${what} onChange=${setWhat} options=${[['use', 'use the key'], ['administer', 'administer it']]} />
      ${kind !== 'account' && html`<${Button} class="small" busy=${busy} onClick=${() => read(kind)}>${found ? 'Read again' : `Choose from IAM of ${key.account_id}`}<//>`}</div>
    <${ErrorNote} error=${error} />
    ${kind === 'account' && html`<form class="row" onSubmit=${(/** @type {any} */ event) => {
      event.preventDefault();
      if (/^\d{12}$/.test(typed)) {
        add(`arn:aws:iam::${typed}:root`);
        setTyped('');
      }
    }}><div class="input small"><input class="mono" inputmode="numeric" maxlength="12" aria-label="Account id" placeholder="345678901234" value=${typed} onInput=${(/** @type {any} */ event) => setTyped(event.target.value.replace(/\D/g, ''))} /></div><button type="submit" class="button small" disabled=${typed.length !== 12}>Add the account</button></form>`}
    ${kind !== 'account' && found && html`<div class="input small"><input aria-label="Filter by name" placeholder=${`${found.length} ${kind}`} value=${typed} onInput=${(/** @type {any} */ event) => setTyped(event.target.value)} /></div>
      <ul class="pick">${shown.slice(0, 50).map((one) => html`<li key=${one.arn}><button type="button" class="menu-item" onClick=${() => add(one.arn)}><${Icon} name="plus" size="small" /><span class="cut" data-tip=${one.arn}>${one.name}</span></button></li>`)}</ul>
      ${shown.length === 0 && html`<span class="t2 small">None of this name.</span>`}${more && html`<button type="button" class="link" onClick=${() => read(kind, more)}>More</button>`}`}</div>`;
}
