/** The acts on one key. Each that the caller may not do is shown disabled with the name of the right. */
import { html } from '../../view.js';
import { api } from '../../api.js';
import { changed as changedPath } from '../../data.js';
import { lacks } from '../../rights.js';
import { aliasParts } from '../../lib/text.js';
import { keyName, keyState } from '../../lib/key.js';
import { act, ask } from '../../components/dialog.js';
import { Button, Menu } from '../../components/popup.js';
import { Icon } from '../../components/icon.js';

/** The right that is missing for an act on a key. @param {any} key @param {string} right */
export const missing = (key, right) => lacks(key, right);

/** @param {{row: any, path: string, changed: (answer: any) => void}} props */
export function KeyActions({ row: key, path, changed }) {
  const state = keyState(key);
  const name = keyName(key);
  const done = (/** @type {any} */ answer) => {
    if (answer) {
      changed(answer);
      changedPath('/cckm/aws/keys');
    }
  };
  const enable = () => api.post(`${path}/enable`).then((answer) => (done(answer), answer));
  const disable = () => api.post(`${path}/disable`).then((answer) => (done(answer), answer));
  const deletion = () => ask({
    title: `Schedule the deletion of ${name}?`, level: 3, name: aliasParts(name)[1], act: 'Schedule deletion', keep: 'Keep the key', values: { days: 30 },
    text: 'After the wait AWS destroys the key. What it encrypted can never be read again. Until then you can cancel.',
    warn: key.last_used_at && `AWS last saw it in use: ${key.last_used_operation ?? 'an operation'}, ${key.last_used_at.slice(0, 10)}.`,
    fields: (values, set) => html`<div class="field"><label for="days">Wait <span class="optional">7 to 30 days</span></label><input id="days" class="input" type="number" min="7" max="30" value=${values.days} onInput=${(/** @type {any} */ event) => set({ days: Number(event.target.value) })} /></div>`,
    run: (values) => api.post(`${path}/schedule-deletion`, { days: values.days }),
    dry: (values) => api.post(`${path}/schedule-deletion`, { days: values.days }, { query: { dry_run: true } }),
    says: () => 'This would be asked of AWS. Claviger’s own checks allow it; nothing was changed.',
  }).then(done);
  const cancel = () => act(() => api.post(`${path}/cancel-deletion`).then((answer) => (done(answer), answer)), `The deletion of ${name} is cancelled. It is disabled now.`);
  const refresh = () => act(() => api.post(`${path}/refresh`).then((answer) => (done(answer), answer)), `${name} was read from AWS.`);
  const rotate = (/** @type {boolean} */ material) => ask({
    title: material ? `Rotate the material of ${name}?` : `Replace ${name} by a new key?`, act: material ? 'Rotate the material' : 'Replace the key', keep: 'Leave it',
    text: material ? 'AWS encrypts with the new material from then on; what is there stays readable. The id and the ARN stay.' : 'A new key takes its aliases. The old key stays, so that what it encrypted stays readable.',
    run: () => api.post(`${path}/${material ? 'rotate-material' : 'rotate'}`),
  }).then(done);

  return html`<${Menu} class="button" label=${html`<${Icon} name="rotate-cw" size="small" />Rotate<${Icon} name="chevron-down" size="small" />`} items=${[
      { label: 'New material, same key…', icon: 'rotate-cw', act: () => rotate(true), missing: missing(key, 'keyrotate'), end: 'R' },
      { label: 'A new key in its place…', icon: 'key-round', act: () => rotate(false), missing: missing(key, 'keyrotate') },
    ]} />
    ${state === 'Enabled' && html`<${Button} missing=${missing(key, 'keyupdate')} onClick=${() => act(disable, `${name} is disabled.`, enable)}>Disable<//>`}
    ${state === 'Disabled' && html`<${Button} missing=${missing(key, 'keyupdate')} onClick=${() => act(enable, `${name} is enabled.`, disable)}>Enable<//>`}
    ${state === 'PendingDeletion' ? html`<${Button} missing=${missing(key, 'keycanceldelete')} onClick=${cancel}>Cancel deletion<//>` : html`<${Button} class="danger" missing=${missing(key, 'keydelete')} onClick=${deletion}>Schedule deletion…<//>`}
    <${Menu} class="button square" name="More acts" label=${html`<${Icon} name="ellipsis" />`} items=${[
      { label: 'Read from AWS now', icon: 'refresh-cw', act: refresh, missing: missing(key, 'keysynchronize') },
    ]} />`;
}
