/** The acts on one source key: versions, clone, export, edit, states, a virtual key; what destroys comes last. */
import { html } from '../../view.js';
import { api, saveFile, versionOf } from '../../api.js';
import { changed, shared } from '../../data.js';
import { go } from '../../router.js';
import { segment } from '../../lib/query.js';
import { REASONS, canBeHeld, canWrap, changesOf, compromises, editable, exportBody, isArchived, isAsymmetric } from '../../lib/source-key.js';
import { plural } from '../../lib/text.js';
import { lacksAnywhere, lacksRight } from '../../rights.js';
import { Copy, now } from '../../components/bits.js';
import { ask } from '../../components/dialog.js';
import { Dialog, over, showError } from '../../components/over.js';
import { Icon } from '../../components/icon.js';
import { Button, Menu } from '../../components/popup.js';
import { toast } from '../../components/toast.js';

/** A field of a question. @param {string} id @param {any} label @param {any} control @param {any} [optional] */
const field = (id, label, control, optional) => html`<div class="field"><label for=${id}>${label}${optional && html`<span class="optional">${optional}</span>`}</label>${control}</div>`;
/** @param {string} id @param {any} value @param {(value: string) => void} set @param {any} [more] */
const input = (id, value, set, more = {}) => html`<input id=${id} class="input" value=${value} spellcheck="false" onInput=${(/** @type {any} */ event) => set(event.target.value)} ...${more} />`;
/** @param {string} id @param {any} value @param {Array<[string, any]>} options @param {(value: string) => void} set */
const select = (id, value, options, set) => html`<select id=${id} class="select" onChange=${(/** @type {any} */ event) => set(event.target.value)}>${options.map(([one, words]) => html`<option value=${one} selected=${one === value}>${words}</option>`)}</select>`;
/** @param {any} label @param {boolean} value @param {(value: boolean) => void} set @param {boolean} [disabled] */
const check = (label, value, set, disabled) => html`<label class="check"><input type="checkbox" class="box" checked=${value} disabled=${disabled} onChange=${(/** @type {any} */ event) => set(event.target.checked)} /><span>${label}</span></label>`;

/** The exported material: to copy, or as a file. @param {any} key @param {any} answer @param {boolean} wrapped */
function showMaterial(key, answer, wrapped) {
  if (typeof answer?.material !== 'string') return null;
  const file = () => saveFile(new Blob([answer.material], { type: 'text/plain' }), `${key.name}-v${key.version}.${answer.encoding === 'pem' ? 'pem' : 'txt'}`);
  return over((done) => html`<${Dialog} label="The exported material" close=${() => done(null)}><div class="inside"><h2 class="break">The material of ${key.name}, version ${key.version}</h2><p class=${wrapped ? 't2' : 'danger'}>${wrapped ? 'Wrapped' : 'In the clear'}, in ${answer.encoding}.</p>
      <div class="row top"><textarea class="input mono grow" rows="6" readonly aria-label="The material" value=${answer.material}></textarea><${Copy} text=${answer.material} what="the material" /></div></div>
    <div class="buttons"><button type="button" class="button" onClick=${file}>Save it as a file</button><span class="grow"></span><button type="button" class="button ink" data-first onClick=${() => done(null)}>Close</button></div><//>`);
}

/** The source keys that may wrap another one. @param {any} key */
const wrappers = async (key) => (await shared('/vault/keys2', { version: -1, limit: 500, sort: 'name' })).resources.filter((/** @type {any} */ one) => one.id !== key.id && canWrap(one));

const PADDINGS = /** @type {Array<[string, string]>} */ ([['oaep256', 'OAEP with SHA-256'], ['oaep384', 'OAEP with SHA-384'], ['oaep512', 'OAEP with SHA-512'], ['oaep', 'OAEP with SHA-1']]);

/** @param {{row: any, path: string, used: number, done: (answer: any) => void}} props used: in how many places */
export function SourceKeyActs({ row: key, path, used, done }) {
  const missing = lacksRight('source keys');
  const archived = isArchived(key, now.value);
  const inUse = used > 0 && `It is used in ${plural(used, 'place')}.`;
  const opened = (/** @type {any} */ answer) => answer?.id && (changed('/vault/keys2'), go(`/vault/keys2/${segment(answer.id)}`));
  const version = () => ask({ title: `Make a new version of ${key.name}?`, act: 'Make the version', tone: 'ink', keep: 'Leave it', text: 'Its name stands for the newest version from then on; what uses an older one stays with it.', run: (_, api) => api.post(`${path}/versions`) }).then(opened);
  const bring = () => ask({
    title: `Bring a new version of ${key.name}?`, act: 'Bring the version', tone: 'ink', keep: 'Leave it', text: 'Its name stands for the newest version from then on; what uses an older one stays with it.', values: { material: '' },
    fields: (values, set) => html`<div class="grow">${field('version-material', 'Material', html`<textarea id="version-material" name="material" class="input mono" rows="5" spellcheck="false" value=${values.material} onInput=${(/** @type {any} */ event) => set({ material: event.target.value })}></textarea>`, isAsymmetric(key) ? 'a private key in PEM' : 'hex or base64')}</div>`,
    run: (values) => api.post(`${path}/versions`, { material: values.material.trim() }),
  }).then(opened);
  const clone = () => ask({ title: `Clone ${key.name}?`, act: 'Make the clone', tone: 'ink', keep: 'Leave it', text: 'The new source key has the same material, and a name and versions of its own.', values: { name: `${key.name}-clone`.slice(0, 255) }, fields: (values, set) => field('clone-name', 'Name of the new one', input('clone-name', values.name, (name) => set({ name }))), run: (values, api) => api.post(`${path}/clone`, { newKeyName: values.name }) }).then(opened);
  const edit = () => {
    const began = versionOf(path);
    ask({
      title: `Edit ${key.name}, version ${key.version}`, act: 'Save the source key', tone: 'ink', keep: 'Leave it', values: editable(key),
      fields: (values, put) => {
        const set = (/** @type {any} */ next) => put({ ...values, ...next });
        return html`<div class="form">${field('source-text', 'Description', input('source-text', values.description, (description) => set({ description }), { name: 'description' }))}${field('source-aliases', 'Aliases', input('source-aliases', values.aliases, (aliases) => set({ aliases })), 'with commas')}
          ${field('source-labels', 'Labels', input('source-labels', values.labels, (labels) => set({ labels }), { name: 'labels' }), 'key=value, with commas')}${field('source-protect', 'Protects until', input('source-protect', values.protectStopDate, (protectStopDate) => set({ protectStopDate }), { type: 'date' }), 'then it makes no key')}
          ${field('source-until', 'Active until', input('source-until', values.deactivationDate, (deactivationDate) => set({ deactivationDate }), { name: 'deactivationDate', type: 'date', disabled: key.state !== 'Active' && key.state !== 'Pre-Active' }), 'then it is deactivated')}
          <div class="column">${check(key.unexportable ? 'Unexportable, for good' : 'Make it unexportable, for good', values.unexportable, (unexportable) => set({ unexportable }), key.unexportable)}${check('Undeletable', values.undeletable, (undeletable) => set({ undeletable }))}</div></div>`;
      },
      run: (values, api) => api.patch(path, changesOf(key, values), { version: began }),
    }).then(done);
  };
  const wrapped = async () => {
    const all = /** @type {any[]} */ (await wrappers(key).catch(showError));
    if (!all) return;
    const how = all.length > 0 ? 'source' : 'public';
    ask({
      title: `Export ${key.name}, version ${key.version}, wrapped?`, act: 'Export it wrapped', keep: 'Keep it here', text: 'Only who has the wrapping key can read it. The log says for good that it has left.', values: { how, wrapper: all[0], publicKey: '', method: 'rsa-aes', padding: 'oaep256' },
      fields: (values, put) => {
        const set = (/** @type {any} */ next) => put({ ...values, ...next });
        const isRsa = values.how === 'public' || /^rsa$/i.test(values.wrapper?.algorithm ?? '');
        return html`<div class="column grow">${all.length > 0 && field('export-how', 'Wrapped with', select('export-how', values.how, [['source', 'a source key'], ['public', 'a public key that I have']], (next) => set({ how: next })))}
          ${values.how === 'source' ? field('export-key', 'Source key', select('export-key', values.wrapper?.id, all.map((one) => [one.id, `${one.name}, ${one.algorithm} ${one.size ?? ''}`]), (id) => set({ wrapper: all.find((one) => one.id === id) })))
            : html`${field('export-public', 'Public key', html`<textarea id="export-public" class="input mono" rows="5" placeholder="-----BEGIN PUBLIC KEY-----" value=${values.publicKey} onInput=${(/** @type {any} */ event) => set({ publicKey: event.target.value })}></textarea>`, 'RSA of 2048 bits or more, or a certificate, in PEM')}
              ${!isAsymmetric(key) && field('export-method', 'Method', select('export-method', values.method, [['rsa-aes', 'RSA, and a new AES key'], ['rsa', 'RSA alone']], (method) => set({ method })))}`}
          ${isRsa && field('export-padding', 'Padding', select('export-padding', values.padding, PADDINGS, (padding) => set({ padding })))}</div>`;
      },
      run: (values, api) => api.post(`${path}/export`, exportBody(key, values)),
    }).then((answer) => answer && (done(answer), showMaterial(key, answer, true)));
  };
  const clear = () => ask({
    title: `Export ${key.name}, version ${key.version}, in the clear?`, level: 3, name: key.name, act: 'Export it in the clear', keep: 'Keep it here', text: 'Who reads the answer has the key. The log says for good that it has left.', values: { format: '' },
    fields: (values, set) => field('export-format', 'Format', select('export-format', values.format, isAsymmetric(key) ? [['', 'PKCS#8, as PEM'], ['pkcs1', 'PKCS#1 or SEC1, as PEM']] : [['', 'Hex'], ['base64', 'Base64']], (format) => set({ format }))),
    run: (values, api) => api.post(`${path}/export`, exportBody(key, { how: 'clear', ...values })),
  }).then((answer) => answer && (done(answer), showMaterial(key, answer, false)));
  const revoke = () => ask({
    title: `Revoke ${key.name}, version ${key.version}?`, act: 'Revoke it', keep: 'Leave it', text: 'It can make no new key then. What uses it in a key store stops.', warn: inUse, values: { reason: 'CessationOfOperation', message: '', occurred: '' },
    fields: (values, put) => {
      const set = (/** @type {any} */ next) => put({ ...values, ...next });
      return html`<div class="column grow">${field('revoke-reason', 'Why', select('revoke-reason', values.reason, REASONS, (reason) => set({ reason })))}${field('revoke-text', 'Explanation', input('revoke-text', values.message, (message) => set({ message }), { maxlength: 1024 }), 'optional')}
        ${compromises(values.reason) && html`${field('revoke-since', 'Since when', input('revoke-since', values.occurred, (occurred) => set({ occurred }), { type: 'date' }), 'optional, UTC; else since it was made')}<p class="warn small">It is compromised for good then.</p>`}</div>`;
    },
    run: (values, api) => api.post(`${path}/revoke`, { reason: values.reason, ...(values.message && { message: values.message }), ...(compromises(values.reason) && values.occurred && { compromiseOccurrenceDate: `${values.occurred}T00:00:00Z` }) }),
    dry: true,
  }).then(done);
  const simple = (/** @type {string} */ verb, /** @type {string} */ title, /** @type {string} */ text, /** @type {string} */ word) => ask({ title, text, act: word, tone: verb === 'archive' ? 'block' : 'ink', keep: 'Leave it', run: (_, api) => api.post(`${path}/${verb}`, {}), dry: true }).then(done);
  const virtual = () => ask({ title: `Make a virtual key of ${key.name}?`, act: 'Make the virtual key', tone: 'ink', keep: 'Leave it', text: 'It is the id of a HYOK key to be: that key gets this id, and the material of this source key.', run: (_, api) => api.post('/cckm/virtual/keys', { source_key_id: key.id }) }).then((answer) => {
    if (!answer?.id) return;
    changed('/cckm/virtual/keys');
    toast('The virtual key is made.');
    go(`/cckm/virtual/keys?open=${segment(answer.id)}`);
  });
  const drop = () => ask({ title: `Delete ${key.name}, version ${key.version}?`, level: 3, name: key.name, act: 'Delete the source key', keep: 'Keep it', text: 'Its material is destroyed. AWS takes only this material again if it is lost there.', warn: inUse, run: (_, api) => api.delete(path), dry: true }).then((answer) => answer && (changed('/vault/keys2'), go('/vault/keys2')));
  const destroy = () => ask({ title: `Destroy the material of ${key.name}?`, level: 3, name: key.name, act: 'Destroy the material', keep: 'Keep it', text: 'The entry stays, the material is gone for good.', warn: inUse, run: (_, api) => api.post(`${path}/destroy`), dry: true }).then(done);
  const usable = key.state === 'Active' && !archived;
  const has = key.destroyDate === undefined || key.destroyDate === null;
  return html`<${Button} icon="plus" missing=${missing} onClick=${version}>New version…<//><${Menu} class="button square" name="More acts" label=${html`<${Icon} name="ellipsis" />`} items=${[
    { label: 'Edit…', icon: 'pencil', missing, act: edit },
    { label: 'Bring a version…', icon: 'save', missing, act: bring },
    usable && { label: 'Clone…', icon: 'copy', missing, act: clone },
    has && !key.unexportable && { label: 'Export wrapped…', icon: 'upload', missing, act: wrapped },
    usable && canBeHeld(key) && { label: 'Make a virtual key…', icon: 'key-round', missing: lacksAnywhere('hyokkeycreate'), act: virtual },
    'line',
    key.state === 'Active' && { label: 'Revoke…', icon: 'ban', missing, act: revoke },
    key.state === 'Deactivated' && { label: 'Make it active again…', icon: 'undo-2', missing, act: () => simple('reactivate', `Make ${key.name} active again?`, '', 'Make it active') },
    archived ? { label: 'Recover…', icon: 'archive-restore', missing, act: () => simple('recover', `Recover ${key.name}?`, '', 'Recover it') } : { label: 'Archive…', icon: 'archive', missing, act: () => simple('archive', `Archive ${key.name}?`, 'It is out of use until it is recovered.', 'Archive it') },
    'line',
    has && !key.unexportable && { label: 'Export in the clear…', icon: 'eye', danger: true, missing, act: clear },
    { label: 'Destroy the material…', icon: 'zap', danger: true, missing, act: destroy }, { label: 'Delete…', icon: 'trash-2', danger: true, missing, act: drop },
  ]} />`;
}
