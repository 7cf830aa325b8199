/** A choice between few. */
import { html } from '../view.js';

/** A choice between few, all shown. @param {{options: Array<[string, any]>, value: string, onChange: (value: any) => void, label: string, small?: boolean}} props */
export function Segments({ options, value, onChange, label, small }) {
  return html`<div class=${`segments ${small ? 'small' : ''}`} role="group" aria-label=${label}>${options.map(([one, text]) => html`<button type="button" aria-pressed=${one === value} onClick=${() => onChange(one)}>${text}</button>`)}</div>`;
}
