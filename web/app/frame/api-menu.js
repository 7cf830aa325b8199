/** `API`: what is on the page as a call with curl, and as Terraform. The token is left out. */
import { html, useState } from '../view.js';
import { opened, page } from '../page.js';
import { place } from '../router.js';
import { apiQuery, queryString } from '../lib/query.js';
import { Copy } from '../components/bits.js';
import { Segments } from '../components/segments.js';
import { Icon } from '../components/icon.js';
import { Popup } from '../components/popup.js';

/** A text between single quotes for a shell. @param {string} text */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** The call of a page as curl. @param {{method?: string, path?: string, query?: Record<string, any>, body?: any}} call */
export function curl(call) {
  const { method = 'GET', path = place.value.path, query = apiQuery(place.value.query), body } = call;
  const lines = [`curl ${method === 'GET' ? '' : `-X ${method} `}${quoted(`${location.origin}/api/v1${path}${queryString(query)}`)}`, '-H "Authorization: Bearer $TOKEN"'];
  if (body !== undefined) lines.push(`-d ${quoted(JSON.stringify(body, null, 1))}`);
  return lines.join(' \\\n  ');
}

export function ApiMenu() {
  return html`<${Popup} class="tool" wide end label=${html`<${Icon} name="code" /><span class="label">API</span>`} name="This page as a call of the API">${() => html`<${AsCode} />`}<//>`;
}

/** The call of the page, also used beside forms. @param {{call?: any, terraform?: string}} props */
export function AsCode({ call, terraform }) {
  const [kind, setKind] = useState('curl');
  const said = { ...page.value, ...opened.value };
  const own = call ?? said.call ?? (place.value.path === '/' ? { path: '/cckm/aws/posture', query: {} } : {});
  const hcl = terraform ?? said.terraform;
  const text = kind === 'curl' ? curl(own) : hcl ?? '';
  return html`<div class="card-head row"><h3>The same as</h3><span class="end row"><${Segments} small label="Form" value=${kind} onChange=${setKind} options=${[['curl', 'curl'], ['terraform', 'Terraform']]} />${text && html`<${Copy} text=${text} what="the code" />`}</span></div>
    <div class="card-body">${text ? html`<pre tabindex="0" aria-label="Code">${text}</pre>` : html`<p class="t2">The provider has nothing for this page.</p>`}
    ${kind === 'curl' && html`<p class="small t3">A token: <code>POST /api/v1/auth/tokens</code></p>`}</div>`;
}
