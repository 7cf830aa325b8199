/** Adds a connection: what it is for makes the IAM policy to paste; it is tested before it is kept. */
import { html, useState } from '../../view.js';
import { api } from '../../api.js';
import { changed } from '../../data.js';
import { usePage } from '../../page.js';
import { go } from '../../router.js';
import { segment } from '../../lib/query.js';
import { connectionResource } from '../../lib/terraform.js';
import { withoutSecrets } from '../../lib/text.js';
import { Card } from '../../components/bits.js';
import { FormNote, useForm } from '../../components/form.js';
import { Head } from '../../components/head.js';
import { Button } from '../../components/popup.js';
import { toast } from '../../components/toast.js';
import { PolicyCard, Uses } from '../kms/iam-policy.js';
import { ConnectionFields, EMPTY, SECRETS, bodyOf } from './fields.js';
import { CONNECTIONS, TestNote, testConnection, usePolicy } from './parts.js';

export function AddConnection() {
  const form = useForm('connection', { ...EMPTY, uses: ['keys', 'byok'] }, { secrets: SECRETS });
  const { uses, ...values } = form.values;
  const policy = usePolicy(uses);
  const [said, setSaid] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  const body = bodyOf(values);
  usePage({ title: 'Add a connection', crumbs: [{ label: 'Connections', href: CONNECTIONS }, { label: 'Add a connection' }], call: { method: 'POST', path: CONNECTIONS, query: {}, body: withoutSecrets(body, SECRETS) }, terraform: connectionResource(body) });
  const text = JSON.stringify(body);
  const tested = said?.of === text && said.answer?.connection_ok;
  const filled = values.name.trim() !== '' && (values.is_role_anywhere ? values.private_key !== '' && values.certificate !== '' : values.access_key_id !== '' && values.secret_access_key !== '');

  const test = async () => {
    setBusy(true);
    const begun = performance.now();
    form.refuse({});
    try {
      setSaid({ answer: await testConnection('/connectionmgmt/services/aws/connection-test', body, uses), of: text, took: Math.round(performance.now() - begun) });
    } catch (/** @type {any} */ error) {
      const field = error.member?.split('.').pop();
      if (field && form.fields.has(field)) form.refuse({ [field]: error });
      else setSaid({ error, of: text });
    }
    setBusy(false);
  };
  const keep = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const answer = await form.submit(() => api.post(CONNECTIONS, body));
    if (!answer) return;
    changed(CONNECTIONS);
    toast(html`The connection ${answer.name} is kept. Add a KMS with it.`);
    go(`/cckm/aws/kms?new=1&connection=${segment(answer.name)}`);
  };
  return html`<div class="page"><${Head} title="Add a connection" sub="Claviger signs in to AWS with it. It is tested before it is kept; the secret is sealed and never shown again." />
    <div class="body"><div class="columns wide top"><form onSubmit=${keep}><${Card}><div class="column">
        <div class="column tight"><div class="legend">What will you use it for? <span class="optional">makes the IAM policy to paste</span></div><${Uses} chosen=${uses} choose=${(/** @type {string[]} */ next) => form.set({ uses: next })} /></div>
        <${ConnectionFields} form=${form} />
        ${said?.of === text && html`<${TestNote} said=${said} took=${said.took} />`}<${FormNote} form=${form} />
        <div class="row"><${Button} icon="refresh-cw" busy=${busy} disabled=${!filled} onClick=${test}>Test<//><span data-save><${Button} type="submit" class=${tested ? 'ink' : ''} busy=${form.busy && !busy} disabled=${!filled}>${tested ? 'Keep the connection' : 'Keep it untested'}<//></span><span class="grow"></span><button type="button" class="button quiet" onClick=${() => go(CONNECTIONS)}>Leave</button></div></div><//></form>
      <div class="column policy-aside"><${PolicyCard} uses=${uses} read=${policy} /><${Card} title="What each is for" class="purposes" flush><ul tabindex="0" aria-label="What each is for">${(policy.data?.actions ?? []).map((/** @type {any} */ one) => html`<li key=${one.action}><code>${one.action}</code><span class="small t2">${one.purpose}${one.optional && ', optional'}</span></li>`)}</ul><//></div></div></div></div>`;
}
