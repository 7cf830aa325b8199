/** The acts on one key. Each that the caller may not do is shown disabled with the name of the right. */
import { html } from '../../view.js';
import { api, saveFile, versionOf } from '../../api.js';
import { changed as changedPath, shared } from '../../data.js';
import { go } from '../../router.js';
import { lacks } from '../../rights.js';
import { aliasParts } from '../../lib/text.js';
import { keyName, keyOrigin, keyState } from '../../lib/key.js';
import { ask } from '../../components/dialog.js';
import { act, showError } from '../../components/over.js';
import { Button, Menu } from '../../components/popup.js';
import { Icon } from '../../components/icon.js';
import { rotations } from './rotating.js';

/** The right that is missing for an act on a key. @param {any} key @param {string} right */
export const missing = (key, right) => lacks(key, right);

/** The right that deleting a key demands, also that of an entry which AWS no longer has. @param {any} key */
export const deletionRight = (key) => (key.linked_state === false ? 'hyokkeydelete' : keyOrigin(key) === 'hsm' ? 'cloudhsmkeydelete' : 'keydelete');

/** @param {{row: any, path: string, changed: (answer: any) => void}} props */
export function KeyActions({ row: key, path, changed }) {
  const state = keyState(key);
  const name = keyName(key);
  const short = aliasParts(name)[1];
  const hyok = keyOrigin(key) === 'hyok';
  // AWS does not know the key yet: nothing can be asked of it there.
  const unlinked = key.linked_state === false;
  const done = (/** @type {any} */ answer) => {
    if (!answer) return;
    changed(answer);
    changedPath('/cckm/aws/keys');
  };
  const post = (/** @type {string} */ verb, body = {}) => api.post(`${path}/${verb}`, body).then((answer) => (done(answer), answer ?? true));
  const enable = () => post('enable');
  const disable = () => post('disable');
  const deletion = () => ask({
    title: `Schedule the deletion of ${name}?`, level: 3, name: short, act: 'Schedule deletion', keep: 'Keep the key', values: { days: 30 },
    text: 'After the wait AWS destroys the key. What it encrypted can never be read again. Until then you can cancel.',
    warn: key.last_used_at && `AWS last saw it in use: ${key.last_used_operation ?? 'an operation'}, ${key.last_used_at.slice(0, 10)}.`,
    fields: (values, set) => html`<div class="field"><label for="days">Wait <span class="optional">7 to 30 days</span></label><input id="days" name="days" class="input" type="number" min="7" max="30" value=${values.days} onInput=${(/** @type {any} */ event) => set({ days: Number(event.target.value) })} /></div>`,
    run: (values, api) => api.post(`${path}/schedule-deletion`, { days: values.days }),
    dry: true,
    says: () => 'This would be asked of AWS. Claviger’s own checks allow it; nothing was changed.',
  }).then(done);
  const cancel = () => act(() => post('cancel-deletion'), `The deletion of ${name} is cancelled. It is disabled now.`);
  const refresh = () => act(() => post('refresh'), `${name} was read from AWS.`);
  const describe = () => {
    const began = versionOf(path);
    return ask({
      title: `Describe ${name}`, act: 'Save the description', tone: 'ink', keep: 'Leave it', values: { description: key.aws_param?.Description ?? '' },
      fields: (values, set) => html`<div class="field grow"><label for="key-description">Description <span class="optional">in AWS, at most 8192 characters</span></label><textarea id="key-description" name="description" class="input" rows="3" value=${values.description} onInput=${(/** @type {any} */ event) => set({ description: event.target.value })}></textarea></div>`,
      run: (values, api) => api.post(`${path}/update-description`, values, { version: began }),
    }).then(done);
  };
  const template = async () => {
    const began = versionOf(path);
    const list = (await shared('/cckm/aws/templates', { account_id: key.account_id, limit: 200, sort: 'name' })).resources;
    ask({
      title: `Give ${name} the policy of a template?`, act: 'Apply the template', keep: 'Keep the policy', values: { id: list[0]?.id ?? '' }, text: list.length === 0 ? html`There is no template of this account. <a href="/cckm/aws/templates?new=1">Make one</a>` : 'It replaces the policy in AWS; a change of the template can be pushed to the key later.',
      fields: (values, set) => list.length > 0 && html`<div class="field grow"><label for="key-template">Policy template</label><select id="key-template" name="policytemplate" class="select" onChange=${(/** @type {any} */ event) => set({ id: event.target.value })}>${list.map((/** @type {any} */ one) => html`<option value=${one.id} selected=${one.id === values.id}>${one.name}</option>`)}</select></div>`,
      run: (values, api) => api.post(`${path}/policy`, { policytemplate: values.id }, { version: began }),
      dry: true, says: () => 'The key could be given this policy. Nothing was changed.',
    }).then(done);
  };
  const publicKey = async () => {
    try {
      const { blob } = await api.download(`${path}/download-public-key`);
      saveFile(blob, `${short}.pem`);
    } catch (error) {
      showError(error);
    }
  };
  const block = () => ask({ title: `Block ${name}?`, act: 'Block the key', keep: 'Keep serving', text: 'AWS is refused from the next request on. Applications that use it fail.', run: (_, api) => api.post(`${path}/block`), dry: true }).then(done);
  const unblock = () => act(() => post('unblock'), `${name} is served again.`);
  const link = () => ask({ title: `Make ${name} at AWS?`, act: 'Make it at AWS', tone: 'ink', keep: 'Not yet', text: 'AWS asks the key store for it, and gives it an id and an ARN.', run: (_, api) => api.post(`${path}/link`), dry: true }).then(done);
  const forget = () => ask({
    title: unlinked ? `Delete ${name}?` : `Remove the entry of ${name}?`, level: 3, name: short, act: unlinked ? 'Delete the key' : 'Remove the entry', keep: unlinked ? 'Keep the key' : 'Keep it',
    text: unlinked ? 'AWS does not know the key yet. It is deleted here with all its versions; its source key stays.' : 'AWS does not have the key any more. Its history stays in the log.',
    run: (_, api) => api.delete(path), dry: true,
  }).then((answer) => answer && (changedPath('/cckm/aws/keys'), go('/cckm/aws/keys')));
  const asymmetric = /^(RSA|ECC|ML_DSA|SM2)/.test(key.aws_param?.CustomerMasterKeySpec ?? key.aws_param?.KeySpec ?? '');

  return html`<${Menu} class="button" shortcut="r" label=${html`<${Icon} name="rotate-cw" size="small" />Rotate<${Icon} name="chevron-down" size="small" />`} items=${rotations(key, path, done)} />
    ${hyok && (key.blocked ? html`<${Button} icon="lock-open" missing=${missing(key, 'hyokkeyblockunblock')} onClick=${unblock}>Serve again<//>` : html`<${Button} class="danger" icon="ban" missing=${missing(key, 'hyokkeyblockunblock')} onClick=${block}>Block…<//>`)}
    ${unlinked && html`<${Button} missing=${missing(key, 'hyokkeylink')} onClick=${link}>Make it at AWS…<//>`}
    ${state === 'Enabled' && html`<${Button} missing=${missing(key, 'keyupdate')} onClick=${() => act(disable, `${name} is disabled.`, enable)}>Disable<//>`}
    ${state === 'Disabled' && html`<${Button} missing=${missing(key, 'keyupdate')} onClick=${() => act(enable, `${name} is enabled.`, disable)}>Enable<//>`}
    ${state === 'Gone' ? html`<${Button} class="danger" missing=${missing(key, deletionRight(key))} onClick=${forget}>Remove the entry…<//>`
      : unlinked ? html`<${Button} class="danger" missing=${missing(key, deletionRight(key))} onClick=${forget}>Delete…<//>`
      : state === 'PendingDeletion' ? html`<${Button} missing=${missing(key, 'keycanceldelete')} onClick=${cancel}>Cancel deletion<//>` : html`<${Button} class="danger" missing=${missing(key, deletionRight(key))} onClick=${deletion}>Schedule deletion…<//>`}
    <${Menu} class="button square" name="More acts" label=${html`<${Icon} name="ellipsis" />`} items=${[
      !unlinked && { label: 'Read from AWS now', icon: 'refresh-cw', act: refresh, missing: missing(key, 'keysynchronize') },
      !unlinked && { label: 'Describe…', icon: 'pencil', act: describe, missing: missing(key, 'keyupdate') },
      !unlinked && { label: 'Apply a policy template…', icon: 'file-braces', act: template, missing: missing(key, 'keyupdate') },
      asymmetric && { label: 'Download the public key', icon: 'download', act: publicKey },
      { label: 'Who may use it', icon: 'users', href: `${path}?tab=access`, end: 'W' },
    ]} />`;
}
