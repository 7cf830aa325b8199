/** Says that the server does not answer, over whatever is shown, until it does. */
import { html, useEffect, useRef } from '../view.js';
import { reached } from '../reach.js';
import { Note } from '../components/bits.js';

export function Away() {
  const box = useRef(/** @type {any} */ (null));
  const away = !reached.value;
  // A popover lies over dialogs too.
  useEffect(() => {
    if (away) box.current.showPopover();
    else if (box.current.matches(':popover-open')) box.current.hidePopover();
  }, [away]);
  return html`<div class="away" popover="manual" ref=${box} role="status" aria-live="polite">${away && html`<${Note} tone="warn"><b>The server does not answer.</b> What you typed stays. It is asked again and again, and the page goes on by itself.<//>`}</div>`;
}
