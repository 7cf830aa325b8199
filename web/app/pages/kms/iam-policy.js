/** The IAM policy that the account of a KMS needs, made for what will be used, with what is missing there now. */
import { html, useState } from '../../view.js';
import { useGet } from '../../data.js';
import { Card, Chip, ErrorNote, Note, Skeleton } from '../../components/bits.js';
import { Json } from '../../components/json.js';
import { plural } from '../../lib/text.js';

/** @type {Array<[string, string]>} */
export const USES = [['keys', 'Native keys'], ['byok', 'Bring own keys'], ['keystores', 'Hold own keys'], ['cloudhsm', 'CloudHSM'], ['reports', 'Reports']];

/** What the connection will be used for. @param {{chosen: string[], choose: (next: string[]) => void}} props */
export function Uses({ chosen, choose }) {
  return html`<div class="row wrap wide" role="group" aria-label="What it is used for">${USES.map(([use, label]) => html`<label class="check" key=${use}><input type="checkbox" class="box" checked=${chosen.includes(use)} onChange=${() => choose(chosen.includes(use) ? chosen.filter((one) => one !== use) : [...chosen, use])} /><span>${label}</span></label>`)}</div>`;
}

/** The policy as a card to copy. @param {{uses: string[], read: import('../../data.js').Read}} props */
export function PolicyCard({ uses, read }) {
  return html`<${Card} title="IAM policy to paste" sub=${`for ${uses.map((use) => USES.find(([id]) => id === use)?.[1].toLowerCase()).join(', ')}`}>
    ${read.error ? html`<${ErrorNote} error=${read.error} again=${read.reload} />` : read.data ? html`<${Json} value=${read.data.policy} label="the policy" />` : html`<${Skeleton} rows=${8} />`}<//>`;
}

/** @param {{kms: any}} props */
export function IamPolicy({ kms }) {
  const [uses, setUses] = useState(['keys', 'byok']);
  const read = useGet(uses.length > 0 ? '/cckm/aws/permissions' : null, { for: uses.join(','), kms: kms.name });
  const missing = /** @type {any[]} */ (read.data?.missing ?? []);
  const nameOf = (/** @type {any} */ one) => (typeof one === 'string' ? one : one.action);
  const actions = /** @type {any[]} */ (read.data?.actions ?? []);
  return html`<div class="body"><div class="row wide wrap"><b>Used for</b><${Uses} chosen=${uses} choose=${setUses} /></div>
    ${read.data && (missing.length === 0 ? html`<${Note} tone="ok"><b>Nothing is missing.</b> The account permits all that this needs.<//>` : html`<${Note} tone="warn"><b>${plural(missing.length, 'permission')} missing in AWS:</b> ${missing.map(nameOf).join(', ')}<//>`)}
    <div class="columns even"><${PolicyCard} uses=${uses} read=${read} />
      <${Card} title="What each is for" sub=${plural(actions.length, 'action')} flush><div class="table-wrap"><table class="table"><tbody>${actions.map((one) => html`<tr key=${one.action}><td class="mono" style=${{ width: '46%' }}><span class="cut">${one.action}</span></td><td><span class="cut t2" data-tip-cut=${one.purpose}>${one.purpose}</span></td><td class="num" style=${{ width: '92px' }}>${missing.map(nameOf).includes(one.action) ? html`<${Chip} tone="warn">missing<//>` : one.optional && html`<${Chip}>optional<//>`}</td></tr>`)}</tbody></table></div><//></div></div>`;
}
