/**
 * Questions before an act. Level 1, what can be undone, asks nothing: see `act`. Level 2 disturbs: a question with its
 * consequences, the focus on the safe button. Level 3 destroys or locks out: the name must be typed.
 */
import { html, useLayoutEffect, useRef, useState } from '../view.js';
import { api, callOf } from '../api.js';
import { AsCode } from '../frame/api-menu.js';
import { ErrorNote, Note } from './bits.js';
import { controlOf, showAt } from './field-error.js';
import { Icon } from './icon.js';
import { Dialog, over } from './over.js';
import { Button, Popup } from './popup.js';


/**
 * @typedef {object} Question
 * @property {string} title "Schedule the deletion of alias/poc-tokenizer?"
 * @property {any} [text] the consequences
 * @property {any} [warn] what speaks against it, such as a recent use
 * @property {2 | 3} [level]
 * @property {string} [name] level 3: what must be typed
 * @property {string} act the verb and its object: "Schedule deletion"
 * @property {'block' | 'ink'} [tone] of the button of the act: `ink` if it disturbs nobody, such as an edit
 * @property {string} [keep] the safe way: "Keep the key"
 * @property {(values: any, set: (values: any) => void) => any} [fields] further fields; the `name` of a control has the API's members that it stands for, so that a refusal goes to it
 * @property {any} [values] their first values
 * @property {(values: any, api: typeof import('../api.js').api) => Promise<any>} run the change; its error is shown in the dialog. If it takes an api, the dialog shows what it would call: not for secrets
 * @property {((values: any) => Promise<any>) | true} [dry] the dry run: what it answers is shown. `true`: the change itself, made as a dry run by the api that `run` takes
 * @property {(answer: any) => any} [says] the answer of the dry run in words
 */

/** Asks, and runs the act. Answers what the act answered, or null if it was not done. @param {Question} question @returns {Promise<any>} */
export const ask = (question) => over((done) => html`<${Ask} question=${question} done=${done} />`);

/** The api of a dry run: what is changed by it is only tried. */
const trying = /** @type {typeof api} */ (
  new Proxy(api, {
    get: (real, /** @type {'post' | 'delete'} */ how) => (/** @type {[string, any, any]} */ ...given) => {
      const at = how === 'delete' ? 1 : 2;
      const options = { ...given[at], query: { ...given[at]?.query, dry_run: true } };
      return /** @type {any} */ (real)[how](...(at === 1 ? [given[0], options] : [given[0], given[1], options]));
    },
  })
);

/** @param {{question: Question, done: (value: any) => void}} props */
function Ask({ question, done }) {
  const { level = 2, name = '' } = question;
  const [typed, setTyped] = useState('');
  const [values, setValues] = useState(question.values ?? {});
  const [busy, setBusy] = useState('');
  const [error, setError] = useState(/** @type {any} */ (null));
  const [dry, setDry] = useState(/** @type {any} */ (null));
  const form = useRef(/** @type {any} */ (null));
  const at = controlOf(form.current, error?.member);
  // A refusal of what was typed is there, and gone with the next letter.
  useLayoutEffect(() => (at ? showAt(at, error) : undefined), [error]);
  const ready = level !== 3 || typed.trim() === name;

  const run = async (/** @type {'run' | 'dry'} */ which) => {
    setBusy(which);
    setError(null);
    setDry(null);
    try {
      const answer = await (which === 'run' ? question.run(values, api) : question.dry === true ? question.run(values, trying) : question.dry?.(values));
      if (which === 'run') return done(answer ?? true);
      setDry(question.says ? question.says(answer) : 'This would be done. Nothing was changed.');
    } catch (failed) {
      setError(failed);
    }
    setBusy('');
    return undefined;
  };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (ready && !busy) run('run');
  };
  // While the act runs nobody can take it back; its answer may be what is shown once, such as a secret.
  const held = busy === 'run';
  const call = question.run.length > 1 && callOf((noting) => question.run(values, noting));
  return html`<${Dialog} label=${question.title} close=${() => done(null)} held=${held}>
    <form ref=${form} onSubmit=${submit} onInput=${() => at && setError(null)}>
      <div class="inside">
        <h2 class="break">${question.title}</h2>
        ${question.text && html`<div class="t2 break">${question.text}</div>`}
        ${question.warn && html`<${Note} tone="warn" icon="activity">${question.warn}<//>`}
        <div class="row top wide">
          ${level === 3 && html`<div class="field grow"><label for="ask-name">Type <code class="break">${name}</code> to go on</label>
            <input id="ask-name" class="input" data-first autocomplete="off" spellcheck="false" value=${typed} onInput=${(/** @type {any} */ event) => setTyped(event.target.value)} /></div>`}
          ${question.fields?.(values, setValues)}
        </div>
        ${dry && html`<${Note} icon="eye" live>${dry}<//>`}
        ${!at && html`<${ErrorNote} error=${error} />`}
      </div>
      <div class="buttons">
        ${call && html`<${Popup} class="button" wide name="This as a call of the API" label=${html`<${Icon} name="code" size="small" />API`}>${() => html`<${AsCode} call=${call} terraform="" />`}<//>`}
        ${question.dry && html`<${Button} icon="eye" busy=${busy === 'dry'} onClick=${() => run('dry')}>Dry run<//>`}
        <span class="grow"></span>
        <button type="button" class="button quiet" data-first=${level === 2 ? '' : undefined} aria-disabled=${held ? 'true' : undefined} onClick=${() => !held && done(null)}>${question.keep ?? 'Cancel'}</button>
        <${Button} type="submit" class=${question.tone ?? 'block'} busy=${busy === 'run'} disabled=${!ready}>${question.act}<//>
      </div>
    </form>
  <//>`;
}
