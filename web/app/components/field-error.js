/** The server's refusal of one member of a request, at the field of it. */
import { html, render } from '../view.js';
import { sentence } from '../lib/text.js';
import { Icon } from './icon.js';

/** The words of an error at its field: without the name of the member in front. @param {any} error */
function words(error) {
  const text = typeof error === 'string' ? error : error.message ?? String(error);
  return sentence(error?.member && text.startsWith(`${error.member}: `) ? text.slice(error.member.length + 2) : text);
}

/** The number of the range that is next to a refused one; null if the error has none, or a length is meant. @param {any} error @param {any} value */
export function nearest(error, value) {
  const { least, most } = error?.limit ?? {};
  if (!/^\s*-?\d+\s*$/.test(String(value))) return null;
  if (least !== undefined && Number(value) < least) return least;
  return most !== undefined && Number(value) > most ? most : null;
}

/** @param {{error: any, id?: string, value: any, use: (value: number) => void}} props use: takes the number that is permitted */
export function FieldError({ error, id, value, use }) {
  const good = nearest(error, value);
  return html`<div class="error" id=${id} role="alert"><${Icon} name="circle-alert" /><span class="break">${words(error)} ${good !== null && html`<button type="button" class="link" onClick=${() => use(good)}>Use ${good}</button>`}</span></div>`;
}

/** The control of a member among those of a question, whose `name` has the members that it stands for. @param {Element | null} within @param {string | undefined} member @returns {any} */
export const controlOf = (within, member) => (within && member ? within.querySelector(`[name~="${CSS.escape(member)}"], [name~="${CSS.escape(member.split(/[.[]/).pop() ?? member)}"]`) : null);

/** Puts a refusal below a control, and the focus on it; answers what takes it away. @param {any} control @param {any} error */
export function showAt(control, error) {
  const place = document.createElement('div');
  (control.closest('.field') ?? control.parentElement).append(place);
  const use = (/** @type {number} */ value) => {
    control.value = String(value);
    control.dispatchEvent(new Event('input', { bubbles: true }));
    control.focus();
  };
  render(html`<${FieldError} error=${error} id="ask-error" value=${control.value} use=${use} />`, place);
  control.classList.add('bad');
  control.setAttribute('aria-invalid', 'true');
  control.setAttribute('aria-describedby', 'ask-error');
  control.focus();
  return () => {
    render(null, place);
    place.remove();
    control.classList.remove('bad');
    control.removeAttribute('aria-invalid');
    control.removeAttribute('aria-describedby');
  };
}
