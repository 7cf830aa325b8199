/** Windows over the page, and acts that ask nothing: see `dialog.js` for those that ask first. */
import { html, render, useLayoutEffect, useRef } from '../view.js';
import { ErrorNote } from './bits.js';
import { toast } from './toast.js';

/**
 * A window over the page. Esc is the safe way, unless it is held. `close` is called when it was closed.
 * @param {{children?: any, close?: () => void, class?: string, label: string, held?: boolean}} props held: it cannot be closed now, since an answer would be lost
 */
export function Dialog({ children, close, class: extra = 'ask', label, held }) {
  const box = useRef(/** @type {any} */ (null));
  // Before anything else is typed.
  useLayoutEffect(() => {
    if (!box.current.open) box.current.showModal();
    const first = box.current.querySelector('[data-first]') ?? box.current.querySelector('input, textarea, select, button');
    first?.focus();
  }, []);
  const cancelled = (/** @type {Event} */ event) => {
    event.stopPropagation();
    if (held) event.preventDefault();
  };
  // A browser closes it at a second Esc, whatever is said to the first one.
  const closed = () => (held ? box.current?.showModal() : close?.());
  return html`<dialog ref=${box} class=${extra} aria-label=${label} onClose=${closed} onCancel=${cancelled}>${children}</dialog>`;
}

/** Shows what `content` makes over the page until it calls its argument. @template T @param {(done: (value: T | null) => void) => any} content @returns {Promise<T | null>} */
export function over(content) {
  const place = document.createElement('div');
  document.body.append(place);
  return new Promise((resolve) => {
    let over = false;
    const done = (/** @type {any} */ value) => {
      if (over) return;
      over = true;
      render(null, place);
      place.remove();
      resolve(value);
    };
    render(content(done), place);
  });
}

/**
 * Level 1: does it at once, says what was done, and offers to undo it. An error comes as a question that can only be closed.
 * @param {() => Promise<any>} run @param {any} done what to say @param {() => Promise<any>} [undo] the reverse call
 */
export async function act(run, done, undo) {
  try {
    const answer = await run();
    toast(done, { undo: undo && (() => act(undo, 'Undone.')) });
    return answer ?? true;
  } catch (error) {
    await showError(error);
    return null;
  }
}

/** An act failed that has no form: says so over the page. @param {any} error */
export function showError(error) {
  return over((done) => html`<${Dialog} label="It was refused" close=${() => done(null)}>
    <div class="inside"><h2>That was refused</h2><${ErrorNote} error=${error} /></div>
    <div class="buttons"><span class="grow"></span><button type="button" class="button" data-first onClick=${() => done(null)}>Close</button></div>
  <//>`);
}
