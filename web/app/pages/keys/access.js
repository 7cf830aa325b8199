/** Who may use the key, in plain words: from its policy, its grants, and the rights here. */
import { html, useState } from '../../view.js';
import { useGet } from '../../data.js';
import { actionWords, principalWords } from '../../lib/policy.js';
import { Avatar, Card, Chip, Empty, ErrorNote, Note, Skeleton, Time } from '../../components/bits.js';
import { Icon } from '../../components/icon.js';

/** @param {any} entry */
function may(entry) {
  const kinds = entry.actions ?? {};
  if ((entry.action_patterns ?? []).includes('kms:*')) return 'everything';
  const words = [];
  if (kinds.use?.length) words.push(actionWords(kinds.use));
  if (kinds.administer?.length) words.push('administer it');
  if (kinds.grant?.length) words.push('give grants');
  if (words.length === 0 && kinds.view?.length) words.push('read about it');
  return [...new Set(words)].join(', ') || (entry.not_action_patterns ? `all but ${entry.not_action_patterns.join(', ')}` : 'nothing known here');
}

/** @param {{row: any, path: string}} props */
export function KeyAccess({ row: key, path }) {
  const [asked, setAsked] = useState('');
  const [principal, setPrincipal] = useState('');
  const read = useGet(`${path}/access`);
  const one = useGet(principal ? `${path}/access` : null, { principal });
  if (read.error) return html`<div class="body"><${ErrorNote} error=${read.error} again=${read.reload} /></div>`;
  if (!read.data) return html`<div class="body"><${Skeleton} rows=${6} /></div>`;
  const access = read.data;
  const entries = (access.entries ?? []).filter((/** @type {any} */ entry) => entry.applies !== false);
  const people = access.managed_by ?? [];
  return html`<div class="body">
    ${access.policy_known === false && html`<${Note} tone="warn">The policy may not be read, so who may use the key is not known.<//>`}
    ${(access.not_understood ?? []).map((/** @type {any} */ statement) => html`<${Note} tone="warn"><b>Statement ${statement.sid || statement.statement} could not be read.</b> ${statement.reason}<//>`)}
    ${access.grants_known === false && html`<${Note} tone="warn">The grants could not be read: ${access.grants_error}<//>`}
    <div class="columns"><div class="column">
      <${Card} title="In AWS" sub="by the policy and the grants" flush>${entries.length === 0 && html`<${Empty} title="Nobody is named." />`}<table class="table" aria-label="Who may use the key"><thead><tr><th>Who</th><th>May</th><th>Under the condition</th><th style=${{ width: '150px' }}>By</th></tr></thead><tbody>${entries.map((/** @type {any} */ entry) => html`<tr>
        <td><span class="row">${entry.kind === 'everyone' ? html`<${Icon} name="globe" class="danger" />` : html`<${Avatar} name=${principalWords(entry.principal).split(' ').pop() ?? ''} group=${entry.kind === 'account' || entry.kind === 'service'} />`}<span class="cut" data-tip=${entry.principal}>${principalWords(entry.principal)}${entry.except?.length > 0 && html`<span class="t3"> but ${entry.except.length}</span>`}</span>${entry.account && entry.account !== key.account_id && html`<${Chip} tone="warn">other account<//>`}</span></td>
        <td>${entry.effect === 'deny' && html`<b class="danger">not </b>`}<span data-tip=${(entry.action_patterns ?? entry.not_action_patterns ?? []).join(', ')}>${may(entry)}</span>${entry.delegates_to_iam && html`<span class="t3">, as IAM says</span>`}</td>
        <td><span class="cut t2" data-tip=${entry.conditions?.map((/** @type {any} */ condition) => condition.text).join('; ')}>${entry.conditions?.length ? entry.conditions.map((/** @type {any} */ condition) => condition.text).join('; ') : ''}</span></td>
        <td><span class="t2 cut">${entry.source?.type === 'grant' ? `grant ${entry.source.grant_name || entry.source.grant_id?.slice(0, 8)}` : entry.source?.sid || `statement ${entry.source?.statement}`}</span></td></tr>`)}</tbody></table><//>
      <${Card} title="Through Claviger" sub="who may change it here" flush>${people.length === 0 && html`<div class="card-body t2">Shown to those who may change the key.</div>`}<table class="table"><tbody>${people.map((/** @type {any} */ one) => html`<tr><td><span class="row"><${Avatar} name=${one.group ?? one.username} group=${Boolean(one.group)} /><bdi class="cut strong">${one.group ?? one.username}</bdi>${one.needs_view && html`<${Chip} tone="warn" tip="Its members need another entry to see the key">sees no key<//>`}</span></td><td><span class="row wrap">${(one.actions ?? []).slice(0, 8).map((/** @type {string} */ action) => html`<${Chip}>${action}<//>`)}${one.actions?.length > 8 && html`<span class="t3 small" data-tip=${one.actions.join(', ')}>+${one.actions.length - 8}</span>`}</span></td></tr>`)}</tbody></table><//></div>
      <div class="column"><${Card} title="May this one?"><form class="column" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); setPrincipal(asked.trim()); }}><div class="input"><${Icon} name="user" /><input class="mono" aria-label="ARN of a principal, or an account" placeholder="arn:aws:iam::…:role/…" value=${asked} onInput=${(/** @type {any} */ event) => setAsked(event.target.value)} /><kbd>Enter</kbd></div></form>
        ${one.error && html`<${ErrorNote} error=${one.error} />`}${one.data?.decision && html`<ul class="answers">${['use', 'administer', 'grant', 'view'].map((what) => html`<li class="row"><span>${{ use: 'Use it', administer: 'Administer it', grant: 'Give grants', view: 'Read about it' }[what]}</span><span class="end"><${Decision} of=${one.data.decision[what]} /></span></li>`)}</ul>`}<//>
      <${UsedBy} path=${path} /><${Card} title="Not considered"><ul class="column small t2">${(access.not_considered ?? []).map((/** @type {string} */ text) => html`<li>${text}</li>`)}</ul><//></div></div></div>`;
}

const DECISIONS = /** @type {Record<string, [string, string]>} */ ({ allowed: ['ok', 'yes'], depends: ['warn', 'depends on a condition'], iam_decides: ['', 'IAM decides'], not_known: ['warn', 'not known'], not_allowed: ['', 'no'], denied: ['danger', 'denied'] });
/** @param {{of: string}} props */
const Decision = ({ of }) => html`<${Chip} tone=${DECISIONS[of]?.[0] ?? ''}>${DECISIONS[of]?.[1] ?? of}<//>`;

/** Who used it lately, by CloudTrail; read when asked for, since it is slow. @param {{path: string}} props */
function UsedBy({ path }) {
  const [asked, setAsked] = useState(false);
  const read = useGet(asked ? `${path}/access` : null, { days: 7 });
  const used = read.data?.used_by;
  return html`<${Card} title="Who used it lately" sub="7 days, by CloudTrail">${!asked && html`<button type="button" class="button small" onClick=${() => setAsked(true)}>Look</button>`}
    ${asked && !read.data && !read.error && html`<${Skeleton} rows=${3} />`}<${ErrorNote} error=${read.error} />
    ${read.data && !used && html`<p class="t2">Not known: no drift watch of the KMS reads a log group of CloudTrail.</p>`}
    ${used && (used.principals.length === 0 ? html`<p class="t2">Nobody, as far as CloudTrail tells.</p>` : html`<ul class="column small">${used.principals.slice(0, 10).map((/** @type {any} */ who) => html`<li class="row"><span class="cut" data-tip=${who.principal}>${principalWords(who.principal)}</span><span class="end t2 nowrap">${who.calls} calls, <${Time} at=${who.last_used_at} /></span></li>`)}</ul>`)}<//>`;
}
