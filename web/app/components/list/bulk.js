/** The bar with the acts on selected rows; it covers the pager, never rows. Esc clears the selection. */
import { html, useEffect } from '../../view.js';
import { number } from '../../lib/text.js';

/**
 * @typedef {object} Chosen what a bulk act gets
 * @property {string[]} ids the selected rows of the page
 * @property {any[]} rows
 * @property {boolean} everything whether all that match are meant: then `query` says which
 * @property {Record<string, any>} query
 * @property {number} count
 * @property {() => void} clear
 */

/** @param {{count: number, total: number, everything: boolean, all: () => void, clear: () => void, children?: any}} props */
export function BulkBar({ count, total, everything, all, clear, children }) {
  useEffect(() => {
    const keys = (/** @type {KeyboardEvent} */ event) => {
      if (event.key === 'Escape' && !document.querySelector('dialog[open], :popover-open:not(.toasts)')) clear();
    };
    document.addEventListener('keydown', keys);
    return () => document.removeEventListener('keydown', keys);
  });
  return html`<div class="bulk" role="toolbar" aria-label="Acts on what is selected"><b aria-live="polite">${number(count)} selected</b>
    ${!everything && count < total ? html`<button type="button" class="plain hide-small" onClick=${all}>Select all ${number(total)} that match</button>` : null}
    <span class="divide"></span>${children}<span class="grow"></span><button type="button" onClick=${clear}>Clear<kbd class="hide-small">Esc</kbd></button></div>`;
}
