/** What a changed policy would change, in plain words; the lockout check. */
import { html } from '../../view.js';
import { useGet } from '../../data.js';
import { actionWords, lockoutOf, losing, people, principalWords } from '../../lib/policy.js';
import { plural } from '../../lib/text.js';
import { lacks } from '../../rights.js';
import { Card, Note, Time } from '../../components/bits.js';

/** The change by who is named, when the server has not said it yet. @param {any} before @param {any} after */
function ownWords(before, after) {
  const text = (/** @type {any} */ one) => JSON.stringify([one.principal, one.allow, [...one.actions].sort(), one.conditions]);
  const had = new Map(people(before).map((one) => [text(one), one]));
  const has = new Map(people(after).map((one) => [text(one), one]));
  const say = (/** @type {any} */ one) => html`<b>${principalWords(one.principal).replace(/^./, (letter) => letter.toUpperCase())}</b> ${one.allow ? 'may' : 'is denied to'} ${actionWords(one.actions)}${one.conditions ? ', with conditions' : ''}.`;
  return [
    ...[...had].filter(([key]) => !has.has(key)).map(([, one]) => ({ sign: '−', tone: 'danger', text: html`No longer: ${say(one)}` })),
    ...[...has].filter(([key]) => !had.has(key)).map(([, one]) => ({ sign: '+', tone: 'ok', text: say(one) })),
  ];
}

/** @type {Record<string, [any, string, string]>} */
const LOCKOUTS = { refused: ['danger', 'lock', 'Lockout.'], account: ['warn', 'lock', 'Lockout of the account.'], unknown: [undefined, 'info', ''], none: ['ok', 'circle-check', 'No lockout.'] };

/** @param {{before: any, after: any, checked: any, edited: boolean, row: any, path: string}} props */
export function PolicyChange({ before, after, checked, edited, row, path }) {
  // CloudTrail is slow: it is asked once something is changed.
  const uses = useGet(edited && !lacks(row, 'reportcreate') ? `${path}/access` : null, { days: 7 });
  const lost = after ? losing(before, after, uses.data?.used_by?.principals ?? []) : [];
  if (!edited) return html`<${Card} title="What would change"><p class="t2">Nothing yet. Take somebody out, add somebody, or change the JSON.</p><//>`;
  const rows = after ? ownWords(before, after) : [];
  const lockout = checked?.lockout;
  const [tone, icon, words] = LOCKOUTS[lockoutOf(checked)];
  return html`<${Card} title="What would change" flush><ul class="would">${rows.map((row) => html`<li><span class=${`chip ${row.tone}`}>${row.sign}</span><span class="break">${row.text}</span></li>`)}
      ${rows.length === 0 && html`<li class="t2">${after ? 'Nobody gains or loses anything.' : 'The JSON must be mended first.'}</li>`}<li><span class="chip">=</span><span class="break t2">Grants stay, and so do the rights here.</span></li></ul>
    <div class="card-body column">
      ${(checked?.problems ?? []).map((/** @type {any} */ problem) => html`<${Note} tone="danger">${problem.line && html`<b>Line ${problem.line}, column ${problem.column}.</b> `}${problem.message}<//>`)}
      ${checked?.opens_to?.length > 0 && html`<${Note} tone="warn" icon="globe"><b>It opens the key.</b> ${checked.opens_to.map(String).join(', ')}<//>`}
      ${lockout && html`<${Note} tone=${tone} icon=${icon}>${words && html`<b>${words}</b> `}${lockout.text}<//>`}
      ${lost.length > 0 && html`<${Note} tone="warn" icon="activity"><b>In use.</b> ${lost.slice(0, 5).map((/** @type {any} */ who) => html`<span class="break" data-tip=${who.principal}>${principalWords(who.principal).replace(/^./, (/** @type {string} */ letter) => letter.toUpperCase())} used it in ${plural(who.calls, 'call')} of 7 days, last <${Time} at=${who.last_used_at} />. </span>`)}${lost.length > 5 && `So did ${lost.length - 5} others. `}Such calls fail then, unless a grant allows them.<//>`}
      ${uses.data?.used_by_known === false && html`<p class="small t2">Who uses it is not known: no drift watch of the KMS reads a log group of CloudTrail.</p>`}
      ${(checked?.differences?.words ?? []).length > 0 && html`<details><summary class="small t2">Each difference</summary><ul class="column small">${checked.differences.words.map((/** @type {string} */ word) => html`<li>${word}</li>`)}</ul></details>`}
      ${checked?.compared_with && checked.compared_with !== 'aws' && html`<p class="small t2">Compared with what was read last: AWS could not be asked.</p>`}</div><//>`;
}
