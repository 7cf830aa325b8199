/** Who may call: the rules of a key store, or those of one key, which narrow the rules of its store. */
import { html } from '../../view.js';
import { versionOf } from '../../api.js';
import { changed } from '../../data.js';
import { lacks } from '../../rights.js';
import { Card, Note, Pairs } from '../../components/bits.js';
import { ask } from '../../components/dialog.js';
import { Button } from '../../components/popup.js';

const RULES = /** @type {Array<[string, string, string]>} */ ([['principals', 'Principals', 'arn:aws:iam::123456789012:role/payments-*'], ['via_services', 'Via services', 's3.eu-central-1.amazonaws.com'], ['source_vpcs', 'From VPCs', 'vpc-…'], ['source_vpces', 'From VPC endpoints', 'vpce-…'], ['operations', 'Operations', 'Encrypt, Decrypt, GenerateDataKey, ReEncrypt']]);

/**
 * @param {object} props
 * @param {string} props.name of the store or the key
 * @param {any} props.rules `caller_rules` of it
 * @param {string} [props.missing] the right that the caller lacks
 * @param {(() => (rules: any, api: typeof import('../../api.js').api) => Promise<any>) | null} props.edit begins a change: answers how it is saved; null if nothing may be changed
 * @param {(answer: any) => void} [props.done]
 * @param {string} [props.title]
 * @param {'' | 'warn'} [props.tone] of that
 * @param {string} [props.none] what it means that there are no lists
 * @param {boolean} [props.short]
 */
export function CallerRules({ name, rules, missing, edit, done, title = 'Who may call', tone = 'warn', none = 'Whoever AWS lets use the keys may call: there is no rule here.', short }) {
  const present = rules ?? {};
  const filled = RULES.filter(([member]) => present[member]?.length > 0);
  const change = () => {
    const save = edit?.();
    if (!save) return;
    ask({
      title: `Who may call ${name}?`, act: 'Set the rules', keep: 'Leave them', text: 'Each list that is not empty must hold. Who is not named in it is refused from the next call on. One to a line; * stands for any text.',
      values: Object.fromEntries(RULES.map(([member]) => [member, (present[member] ?? []).join('\n')])),
      fields: (values, set) => html`<div class="form">${RULES.map(([member, label, example]) => html`<div class="field" key=${member}><label for=${`rule-${member}`}>${label}</label><textarea id=${`rule-${member}`} name=${member} class="input mono" rows="2" placeholder=${example} value=${values[member]} onInput=${(/** @type {any} */ event) => set({ ...values, [member]: event.target.value })}></textarea></div>`)}</div>`,
      run: (values, api) => save(Object.fromEntries(RULES.map(([member]) => [member, values[member].split(/[\n,]/).map((/** @type {string} */ one) => one.trim()).filter(Boolean)])), api),
      dry: true, says: () => 'These rules could be set. Nothing was changed.',
    }).then((answer) => answer && done?.(answer));
  };
  return html`<${Card} title=${title} sub=${filled.length === 0 ? 'no lists' : `${filled.length} ${filled.length === 1 ? 'list' : 'lists, all must hold'}`} acts=${edit && html`<${Button} class="small quiet" missing=${missing} onClick=${change}>Edit<//>`}>
    <div class="column">${filled.length === 0 && html`<${Note} tone=${tone}>${none}<//>`}
    ${(filled.length > 0 || !short) && html`<${Pairs} of=${RULES.map(([member, label]) => [label, present[member]?.length > 0 ? html`<span class="mono break">${present[member].join(', ')}</span>` : html`<span class="t3">any</span>`])} />`}</div><//>`;
}

/** The rules of a key store. @param {{store: any, path: string, done: (answer: any) => void, short?: boolean}} props */
export function StoreRules({ store, path, done, short }) {
  const edit = () => {
    const began = versionOf(path);
    return (/** @type {any} */ rules, /** @type {typeof import('../../api.js').api} */ api) => api.patch(path, { caller_rules: rules }, { version: began });
  };
  const saved = (/** @type {any} */ answer) => {
    done(answer);
    changed('/cckm/aws/custom-key-stores');
  };
  return html`<${CallerRules} name=${store.name} rules=${store.caller_rules} missing=${lacks(store, 'keystoreupdate')} edit=${edit} done=${saved} short=${short} />`;
}
