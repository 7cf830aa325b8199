/** What the creation of a key will do, as a picture: from the source key over the import to AWS. */
import { html } from '../../view.js';
import { useGet } from '../../data.js';
import { segment } from '../../lib/query.js';
import { Bitting } from '../../components/charts.js';
import { Icon } from '../../components/icon.js';

/** @param {{kind: string, values: any}} props */
export function WillHappen({ kind, values }) {
  const source = useGet(values.source ? `/vault/keys2/${segment(values.source)}` : null, { type: 'name' });
  const alias = values.alias ? `alias/${values.alias.replace(/^alias\//, '')}` : 'a key without an alias';
  const cut = html`<${Bitting} hash=${source.data?.sha256Fingerprint ?? '5f0a3c9b7d12e846'} width=${62} height=${18} />`;
  const here = html`<li>${cut}<div><bdi class="strong">${values.source || 'a new source key'}</bdi><div class="t2">here, sealed by the keyring</div></div></li>`;
  const arrow = (/** @type {any} */ text) => html`<li class="small"><${Icon} name="arrow-down" size="small" /><span>${text}</span></li>`;
  const there = (/** @type {any} */ text) => html`<li><${Icon} name="cloud" /><div><bdi class="strong">${alias}</bdi><div class="t2">${text}</div></div></li>`;
  return html`<ol class="will-happen">${kind === 'native' ? html`${there(`${values.region || 'in a region'}, ${values.spec}`)}${arrow('AWS makes the material, and never gives it out')}`
    : kind === 'upload' ? html`${here}${arrow('wrapped with AWS’s public key, RSAES_OAEP_SHA_256')}${arrow('the plaintext is zeroed here; read back, then recorded')}${there(`${values.region || 'in a region'}, origin EXTERNAL, enabled`)}`
    : html`${here}${arrow('stays here: AWS asks for each operation')}${there('origin EXTERNAL_KEY_STORE, once it is linked')}`}</ol>`;
}
