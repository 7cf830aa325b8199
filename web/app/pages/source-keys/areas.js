/** Source keys and virtual keys: links as tabs. */
import { html } from '../../view.js';
import { path } from '../../router.js';

export const VIRTUAL = '/cckm/virtual/keys';

export function Areas() {
  const areas = [['/vault/keys2', 'Source keys'], [VIRTUAL, 'Virtual keys']];
  return html`<nav class="tabs" aria-label="Source keys">${areas.map(([href, label]) => html`<a href=${href} key=${href} aria-current=${path.value === href ? 'page' : undefined}>${label}</a>`)}</nav>`;
}
