/** A new source key: made here, or with material that is brought. Material is never kept in a draft. */
import { html } from '../../view.js';
import { api } from '../../api.js';
import { changed } from '../../data.js';
import { usePage } from '../../page.js';
import { go } from '../../router.js';
import { segment } from '../../lib/query.js';
import { sourceKeyResource } from '../../lib/terraform.js';
import { withoutSecrets } from '../../lib/text.js';
import { AreaField, CheckField, FormNote, SelectField, TextField, useForm, useOffered } from '../../components/form.js';
import { Segments } from '../../components/segments.js';
import { Head } from '../../components/head.js';
import { Button } from '../../components/popup.js';
import { toast } from '../../components/toast.js';
import { AsCode } from '../../frame/api-menu.js';

const SIZES = /** @type {Record<string, string[]>} */ ({ aes: ['256', '128', '192'], rsa: ['4096', '3072', '2048'], 'hmac-sha256': ['256'], 'hmac-sha384': ['384'], 'hmac-sha512': ['512'] });

export function SourceKeyForm() {
  const form = useForm('source-key', { name: '', algorithm: 'aes', size: '256', curveid: 'secp384r1', description: '', unexportable: false, undeletable: false, how: 'made', material: '' }, { secrets: ['material'] });
  const { values, set } = form;
  const sizes = SIZES[values.algorithm];
  useOffered(form, 'size', sizes);
  const body = {
    name: values.name, algorithm: values.algorithm, ...(values.how === 'made' && (values.algorithm === 'ec' ? { curveid: values.curveid } : { size: Number(values.size) })), ...(values.description && { description: values.description }),
    ...(values.unexportable && { unexportable: true }), ...(values.undeletable && { undeletable: true }), ...(values.how === 'brought' && { material: values.material.trim() }),
  };
  const call = { method: 'POST', path: '/vault/keys2', query: {}, body: withoutSecrets(body, ['material']) };
  usePage({ title: 'Make a source key', crumbs: [{ label: 'Source keys', href: '/vault/keys2' }, { label: 'Make a source key' }], call, terraform: sourceKeyResource(body) });
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const answer = await form.submit(() => api.post('/vault/keys2', body));
    if (!answer) return;
    changed('/vault/keys2');
    toast(`${values.name} is made.`);
    go(`/vault/keys2/${segment(answer.id)}`);
  };
  return html`<form class="page" onSubmit=${save}><${Head} title="Make a source key" sub="It is sealed by the keyring, and leaves only wrapped for AWS, or by an export." /><div class="body"><div class="columns wide"><div class="column"><div><${Segments} label="How" value=${values.how} onChange=${(/** @type {string} */ how) => set({ how, material: '' })} options=${[['made', 'Make it here'], ['brought', 'Bring the material']]} /></div><div class="form">
      <${TextField} form=${form} name="name" label="Name" /><${SelectField} form=${form} name="algorithm" label="Algorithm" options=${[['aes', 'AES'], ['rsa', 'RSA'], ['ec', 'Elliptic curve'], ['hmac-sha256', 'HMAC SHA-256'], ['hmac-sha384', 'HMAC SHA-384'], ['hmac-sha512', 'HMAC SHA-512']]} />
      ${values.how === 'made' && (values.algorithm === 'ec' ? html`<${SelectField} form=${form} name="curveid" label="Curve" options=${[['prime256v1', 'P-256'], ['secp384r1', 'P-384'], ['secp521r1', 'P-521'], ['secp256k1', 'secp256k1']]} />` : html`<${SelectField} form=${form} name="size" label="Bits" options=${(sizes ?? ['256']).map((/** @type {string} */ one) => [one, one])} hint=${values.algorithm === 'aes' && 'AWS takes 256; 128 in China.'} />`)}
      ${values.how === 'brought' && html`<${AreaField} form=${form} name="material" label="Material" optional="hex or base64; of RSA and EC PEM" mono rows=${4} full hint="It is not kept in the draft of this tab." />`}
      <${AreaField} form=${form} name="description" label="Description" optional rows=${2} full /><${CheckField} form=${form} name="unexportable" label="Unexportable" hint="Its material never leaves in the clear. For good. Key stores need it." /><${CheckField} form=${form} name="undeletable" label="Undeletable" hint="Until this is taken off." /></div><${FormNote} form=${form} /></div><section class="card"><${AsCode} call=${call} terraform=${undefined} /></section></div></div>
    <div class="foot"><span class="grow"></span><a class="button quiet" href="/vault/keys2">Leave</a><${Button} type="submit" class="ink" busy=${form.busy}>Make the source key<//></div></form>`;
}
