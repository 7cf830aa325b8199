/** Creation as a page with steps: `step` of the query says which; every step can be left and taken up again (see the draft of useForm). */
import { html } from '../view.js';
import { query, setQuery, go } from '../router.js';
import { Button } from './popup.js';
import { Head } from './head.js';
import { Icon } from './icon.js';

/**
 * @typedef {object} Step
 * @property {string} title
 * @property {any} [said] what was chosen in it, shown under its title once it is done
 * @property {boolean} [ready] whether one may go on; default true
 * @property {string} [mend] what is to be mended before one goes on
 * @property {() => any} show
 */

/** @param {{title: string, sub?: any, steps: Step[], aside?: any, finish: string, onFinish: () => Promise<any>, busy?: boolean, leave: string, drafted?: boolean, extra?: any}} props
 *   aside: cards at the right; finish: the label of the last button; leave: where Leave leads */
export function Wizard({ title, sub, steps, aside, finish, onFinish, busy, leave, drafted, extra }) {
  const at = Math.min(Math.max(1, Number(query.value.step ?? 1) || 1), steps.length) - 1;
  const step = steps[at];
  const last = at === steps.length - 1;
  const ready = step.ready ?? true;
  const to = (/** @type {number} */ next) => setQuery({ step: next === 0 ? null : next + 1 }, { push: true });
  return html`<div class="page"><${Head} title=${title} sub=${sub} actions=${drafted && html`<span class="row small t2"><${Icon} name="check" size="small" />Draft kept in this tab</span>`} />
    <div class="wizard"><ol class="steps">${steps.map((one, i) => html`<li key=${one.title} class=${i < at ? 'done' : ''} aria-current=${i === at ? 'step' : undefined}><span class="number">${i < at ? html`<${Icon} name="check" size="small" />` : i + 1}</span>
        <div>${i < at ? html`<button type="button" class="strong" onClick=${() => to(i)}>${one.title}</button>` : html`<span class="strong">${one.title}</span>`}${i < at && one.said && html`<div class="small t2 break">${one.said}</div>`}</div></li>`)}</ol>
      <div class="column">${step.show()}</div>${aside && html`<div class="column aside">${aside}</div>`}</div>
    <div class="foot"><span class="t2">Step ${at + 1} of ${steps.length}. ${!ready && (step.mend ?? 'Something is missing.')}</span><span class="grow"></span>${extra}
      <button type="button" class="button quiet" onClick=${() => go(leave)}>Leave</button>${at > 0 && html`<button type="button" class="button" onClick=${() => to(at - 1)}>Back</button>`}
      ${last ? html`<${Button} class="ink" busy=${busy} disabled=${!ready} onClick=${onFinish}>${finish}<//>` : html`<${Button} class="ink" disabled=${!ready} onClick=${() => to(at + 1)}>${steps[at + 1].title}<${Icon} name="arrow-right" size="small" /><//>`}</div></div>`;
}
