/** What was done: bottom right, 6 seconds, three at most, with Undo where a reverse call exists. Never errors. */
import { html, signal, useEffect, useRef } from '../view.js';
import { Icon } from './icon.js';

/** @typedef {{id: number, text: any, undo?: () => any}} Toast */
/** @type {import('../../vendor/signals.js').Signal<Toast[]>} */
const toasts = signal([]);
let last = 0;

/** @param {any} text @param {{undo?: () => any}} [how] */
export function toast(text, how = {}) {
  last += 1;
  const id = last;
  toasts.value = [...toasts.value.slice(-2), { id, text, ...how }];
  setTimeout(() => drop(id), 6000);
}

/** @param {number} id */
function drop(id) {
  toasts.value = toasts.value.filter((one) => one.id !== id);
}

export function Toasts() {
  const box = useRef(/** @type {any} */ (null));
  const count = toasts.value.length;
  // A popover lies over dialogs too.
  useEffect(() => {
    if (!box.current) return;
    if (count > 0) {
      if (box.current.matches(':popover-open')) box.current.hidePopover();
      box.current.showPopover();
    } else if (box.current.matches(':popover-open')) box.current.hidePopover();
  }, [count]);
  return html`<div class="toasts" popover="manual" ref=${box} role="status" aria-live="polite">${toasts.value.map((one) => html`<div class="toast" key=${one.id}>
    <${Icon} name="circle-check" /><span class="grow break">${one.text}</span>
    ${one.undo && html`<button type="button" class="link" onClick=${() => { drop(one.id); one.undo?.(); }}>Undo</button>`}
  </div>`)}</div>`;
}
