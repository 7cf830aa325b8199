/** Icons of the sprite (web/icons.txt lists them), and the mark of Claviger. */
import { html, assets } from '../view.js';

/** @param {{name: string, size?: 'small' | 'large', class?: string, label?: string}} props with a label it is read aloud */
export function Icon({ name, size, class: extra = '', label }) {
  return html`<svg class=${`icon ${size ?? ''} ${extra}`} aria-hidden=${label ? undefined : 'true'} role=${label ? 'img' : undefined} aria-label=${label}>
    <use href=${`${assets}/icons.svg#${name}`} />
  </svg>`;
}

/** @param {{size?: number}} props */
export function Mark({ size = 24 }) {
  return html`<svg class="mark" width=${size} height=${size} viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.25" stroke-linecap="round" aria-hidden="true">
    <path d="M16.5 6.9A7.5 7.5 0 1 0 16.5 17.1M11 12H22.2M17.6 12v3.1M21.4 12v2.2" /><circle cx="11" cy="12" r="1.9" fill="currentColor" />
  </svg>`;
}
