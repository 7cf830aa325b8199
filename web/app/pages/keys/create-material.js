/** The material of a new key: which source key, and until when. */
import { html, useState } from '../../view.js';
import { changed, useGet } from '../../data.js';
import { DAY } from '../../lib/time.js';
import { Bitting } from '../../components/charts.js';
import { Empty, ErrorNote, Skeleton, Time, now } from '../../components/bits.js';
import { ask } from '../../components/dialog.js';
import { TextField } from '../../components/form.js';
import { Segments } from '../../components/segments.js';
import { Icon } from '../../components/icon.js';

/** Why AWS would not take a source key, or nothing. @param {any} key @param {string} kind */
function unfit(key, kind) {
  if (key.state !== 'Active') return `is ${String(key.state).toLowerCase()}`;
  const algorithm = String(key.algorithm).toLowerCase();
  if (algorithm === 'aes' && key.size !== 256) return kind === 'hyok' ? 'AES 256 is needed' : 'AWS takes AES 256 here; 128 only in China';
  if (kind === 'hyok' && algorithm !== 'aes') return 'a key store takes AES alone';
  if (kind === 'hyok' && !(key.unexportable && key.undeletable)) return 'must be unexportable and undeletable';
  return null;
}

/** @param {{form: import('../../components/form.js').Form, kind: string}} props */
export function SourcePicker({ form, kind }) {
  const [typed, setTyped] = useState('');
  const read = useGet('/vault/keys2', { limit: 50, version: -1, sort: '-createdAt', ...(typed && { name: `*${typed}*` }) }, { delay: typed ? 120 : 0 });
  const rows = read.data?.resources ?? [];
  const error = form.errors.source_key_identifier ?? form.errors.source;
  const make = () => ask({
    title: 'Make a new source key?', act: 'Make it', tone: 'ink', keep: 'Leave it', text: 'AES with 256 bits, made here, sealed by the keyring. It can be used for this key.', values: { name: `key-${new Date(now.value).toISOString().slice(0, 10)}` },
    fields: (values, set) => html`<div class="field grow"><label for="source-name">Name</label><input id="source-name" name="name" class="input" value=${values.name} onInput=${(/** @type {any} */ event) => set({ name: event.target.value })} /></div>`,
    run: (values, api) => api.post('/vault/keys2', { name: values.name, algorithm: 'aes', size: 256, ...(kind === 'hyok' && { unexportable: true, undeletable: true }) }),
  }).then((answer) => {
    if (!answer?.name) return;
    form.set({ source: answer.name, sourceId: answer.id });
    changed('/vault/keys2');
  });
  return html`<div class="row"><h2 class="grow">Which source key?</h2><div class="input small search"><${Icon} name="search" size="small" /><input aria-label="Find a source key" placeholder=${read.data ? `${read.data.total} source keys` : 'Source keys'} value=${typed} onInput=${(/** @type {any} */ event) => setTyped(event.target.value)} /></div><button type="button" class="button small" onClick=${make}><${Icon} name="plus" size="small" />Make a new one</button></div>
    ${error && html`<div class="field"><div class="error" role="alert"><${Icon} name="circle-alert" />${typeof error === 'string' ? error : error.message}</div></div>`}<${ErrorNote} error=${read.error} again=${read.reload} />
    ${!read.data && !read.error && html`<${Skeleton} rows=${4} />`}
    ${read.data && rows.length === 0 && html`<${Empty} icon="folder-key" title="No source key">Make one; it is sealed here until AWS gets it.<//>`}
    ${rows.length > 0 && html`<div class="source-pick" role="radiogroup" aria-label="Source key">${rows.map((/** @type {any} */ key) => {
      const why = unfit(key, kind);
      return html`<label key=${key.id}><input type="radio" class="box" name="source" value=${key.name} checked=${form.values.source === key.name} disabled=${why !== null} onChange=${() => form.set({ source: key.name, sourceId: key.id })} /><${Bitting} hash=${key.sha256Fingerprint ?? ''} /><bdi class="strong cut">${key.name}</bdi><span class="t2">${key.algorithm} ${key.size ?? ''}</span><span class="t2 cut">${key.origin === 'generated' ? 'made here' : 'brought'}, <${Time} at=${key.createdAt} /></span><span class="right small ${why ? 't2' : 't3'} cut">${why ?? (key.neverExported ? 'never exported' : '')}</span></label>`;
    })}</div>`}`;
}

/** @param {{form: import('../../components/form.js').Form}} props */
export function Expiry({ form }) {
  const latest = new Date(now.value + 365 * DAY).toISOString().slice(0, 10);
  const error = form.errors.ValidTo ?? form.errors.valid_to;
  const shown = { ...form, errors: { ...form.errors, validTo: error } };
  return html`<div class="field"><span class="legend">When does it expire in AWS?</span><${Segments} label="Expiry" value=${form.values.expires} onChange=${(/** @type {string} */ expires) => form.set({ expires })} options=${[['never', 'Never'], ['day', 'On a day']]} /><div class="hint">After that day AWS drops the material. The key stays, unusable, until it is imported again.</div></div>
    ${form.values.expires === 'day' ? html`<${TextField} form=${shown} name="validTo" type="date" label="Last day" optional="valid_to, UTC" hint=${html`At most 365 days ahead: <button type="button" class="link" onClick=${() => form.set({ validTo: latest })}>${latest}</button>`} />` : html`<div></div>`}`;
}
