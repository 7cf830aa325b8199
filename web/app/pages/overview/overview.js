/** Overview. */
import { html } from '../../view.js';
import { usePage } from '../../page.js';
import { Head } from '../../components/head.js';

export function Overview() {
  usePage({ title: 'Overview' });
  return html`<div class="page"><${Head} title="Overview" /></div>`;
}
