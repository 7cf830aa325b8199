/** What only this manager knows of a HYOK key: who may call for it, its versions with what they have encrypted, its virtual key. */
import { html } from '../../view.js';
import { versionOf } from '../../api.js';
import { useGet } from '../../data.js';
import { lacks } from '../../rights.js';
import { segment } from '../../lib/query.js';
import { keyName } from '../../lib/key.js';
import { number } from '../../lib/text.js';
import { Card, ErrorNote, IdLine, Note, Pairs, Skeleton, State, Time } from '../../components/bits.js';
import { CallerRules } from '../key-stores/caller-rules.js';

/** From this number of encryptions on, a version should be replaced (a random value of each of them must not repeat). */
const MANY = 2 ** 31;

/** @param {{row: any, path: string, changed: (answer: any) => void}} props */
export function KeyHeld({ row: key, path, changed }) {
  const local = key.local_hosted_params;
  const stores = `/cckm/aws/custom-key-stores/${segment(local.custom_key_store_id)}`;
  // The store may be read only with a right of its own; without it the rules of the key are shown alone.
  const store = useGet(lacks(key, 'viewkeystore') ? null : stores);
  const versions = useGet(`${path}/versions`, { limit: 100 });
  const counters = useGet(`${path}/counters`);
  const encryptions = new Map((counters.data?.versions ?? []).map((/** @type {any} */ one) => [one.version, one.encryptions]));
  const edit = () => {
    const began = versionOf(path);
    return (/** @type {any} */ rules, /** @type {typeof import('../../api.js').api} */ api) => api.post(`${path}/caller-rules`, { caller_rules: rules }, { version: began });
  };
  const rows = versions.data?.resources ?? [];
  return html`<div class="body"><div class="columns wide top">
    <${Card} title="Versions" sub="the active one encrypts, each decrypts what it has encrypted" flush><${ErrorNote} error=${versions.error} again=${versions.reload} />${!versions.data && !versions.error && html`<div class="card-body"><${Skeleton} rows=${2} /></div>`}
      <table class="table" aria-label="Versions"><thead><tr><th style=${{ width: '80px' }}>Version</th><th style=${{ width: '100px' }}>State</th><th>Source key</th><th style=${{ width: '110px' }}>Since</th><th class="num" style=${{ width: '100px' }}>Encryptions</th><th style=${{ width: '120px' }} data-tip="Since the program started">Last encrypted</th><th style=${{ width: '120px' }} data-tip="Since the program started">Last decrypted</th></tr></thead><tbody>${rows.map((/** @type {any} */ one) => {
        const count = encryptions.get(one.version);
        return html`<tr key=${one.id}><td>${one.version}</td><td><${State} state=${one.state === 'active' ? 'active' : 'Disabled'} word=${one.state === 'active' ? 'Active' : 'Retired'} /></td><td><a class="accent" href=${`/vault/keys2/${segment(one.source_key_id)}`}><bdi>${one.source_key_name}</bdi></a> <span class="t3">v${one.source_key_version}</span></td><td><${Time} at=${one.createdAt} /></td>
          <td class="num">${count === undefined ? '' : html`<span class=${count >= MANY ? 'warn' : ''} data-tip="At least so many; after each start of the program up to 2 097 152 more are counted">${number(count)}</span>`}</td><td><${Time} at=${one.last_encrypt_at} none="not seen" /></td><td><${Time} at=${one.last_decrypt_at} none="not seen" /></td></tr>`;
      })}</tbody></table>${rows.some((/** @type {any} */ one) => one.state === 'active' && encryptions.get(one.version) >= MANY) && html`<div class="card-body"><${Note} tone="warn">The active version has encrypted often. Rotate the key.<//></div>`}<//>
    <div class="column"><${CallerRules} name=${keyName(key)} rules=${key.caller_rules} missing=${lacks(key, 'keyupdate')} edit=${edit} done=${changed} title="Who may call for this key" none="Whoever the key store serves may call: the key has no rule of its own." tone="" />
      ${store.data && html`<${CallerRules} name=${store.data.name} rules=${store.data.caller_rules} edit=${null} title="And the rules of its key store" none="The key store has no rule: it serves whoever AWS lets use its keys." short />`}
      <${Card} title="What it is"><${Pairs} of=${[
        ['Key store', html`<a href=${stores}>${store.data ? html`<bdi>${store.data.name}</bdi>` : local.custom_key_store_id.slice(0, 8)}</a>`],
        ['Known to AWS', local.linked_state ? 'yes' : 'not yet'], ['AWS asks for', html`<${IdLine} text=${local.xks_key_id} short what="the id that AWS asks for" />`],
      ]} /><//></div></div></div>`;
}
