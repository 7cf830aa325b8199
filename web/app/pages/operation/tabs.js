/** The pages of the installation itself, as tabs with addresses of their own. */
import { html } from '../../view.js';

const PAGES = /** @type {Array<[string, string, string]>} */ ([['backups', 'Backups', '/backups'], ['syslogs', 'Syslog receivers', '/configs/syslogs'], ['metrics', 'Metrics', '/system/metrics/prometheus/status']]);

/** @param {{at: string}} props */
export function OperationTabs({ at }) {
  return html`<nav class="views" aria-label="Operation">${PAGES.map(([id, label, href]) => html`<a href=${href} aria-current=${id === at ? 'page' : undefined}>${label}</a>`)}</nav>`;
}
