/** What only stores in a CloudHSM cluster have: the password of kmsuser when AWS connects, and keys that AWS makes there. */
import { html } from '../../view.js';
import { api } from '../../api.js';
import { changed } from '../../data.js';
import { go } from '../../router.js';
import { segment } from '../../lib/query.js';
import { ask } from '../../components/dialog.js';
import { toast } from '../../components/toast.js';

/** @param {any} store @param {string} path */
export const connectHsm = (store, path) => ask({
  title: `Connect AWS to ${store.name}?`, act: 'Connect', tone: 'ink', keep: 'Not now', values: { password: '' }, text: 'AWS signs in to the cluster as kmsuser. That takes minutes.',
  fields: (values, set) => html`<div class="field grow"><label for="hsm-password">Password of kmsuser <span class="optional">empty: the one that AWS was told last</span></label><input id="hsm-password" name="key_store_password" class="input" type="password" autocomplete="new-password" value=${values.password} onInput=${(/** @type {any} */ event) => set({ password: event.target.value })} /></div>`,
  run: (values) => api.post(`${path}/connect`, values.password === '' ? {} : { key_store_password: values.password }),
});

/** @param {any} store @param {string} path */
export async function createInHsm(store, path) {
  const made = await ask({
    title: `Create a key in ${store.name}`, act: 'Create the key', tone: 'ink', keep: 'Leave it', values: { alias: '', description: '' }, text: 'The cluster makes its material, and keeps it. It is AES with 256 bits, for encryption and decryption.',
    fields: (values, set) => html`<div class="form grow"><div class="field"><label for="hsm-alias">Alias <span class="optional">can be changed later</span></label><input id="hsm-alias" name="Alias" class="input" value=${values.alias} onInput=${(/** @type {any} */ event) => set({ ...values, alias: event.target.value })} /></div>
      <div class="field"><label for="hsm-text">Description <span class="optional">optional</span></label><input id="hsm-text" name="Description" class="input" value=${values.description} onInput=${(/** @type {any} */ event) => set({ ...values, description: event.target.value })} /></div></div>`,
    run: (values, api) => api.post(`${path}/create-aws-key`, { aws_param: { ...(values.alias && { Alias: values.alias.replace(/^alias\//, '') }), ...(values.description && { Description: values.description }) } }),
  });
  if (!made) return;
  changed('/cckm/aws/keys');
  toast('The key is made.');
  go(`/cckm/aws/keys/${segment(made.id)}`);
}
