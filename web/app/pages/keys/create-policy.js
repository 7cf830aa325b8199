/** The policy of a new key: AWS's default, a template, or its own. */
import { html } from '../../view.js';
import { useGet } from '../../data.js';
import { readPolicy } from '../../lib/policy.js';
import { jsonText } from '../../lib/text.js';
import { Card, Note } from '../../components/bits.js';
import { SelectField, useOffered } from '../../components/form.js';
import { Segments } from '../../components/segments.js';
import { Json } from '../../components/json.js';
import { PolicyPeople } from './policy-people.js';
import { Editor } from './policy.js';

/** AWS's default policy: the account decides by IAM. @param {string} account */
const standard = (account) => ({ Version: '2012-10-17', Id: 'key-default-1', Statement: [{ Sid: 'Enable IAM User Permissions', Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'kms:*', Resource: '*' }] });

/** @param {{form: import('../../components/form.js').Form, kms: string, account?: string}} props */
export function PolicyStep({ form, kms, account }) {
  const { values, set } = form;
  const templates = useGet('/cckm/aws/templates', { account_id: account, limit: 200, sort: 'name' });
  // A template is of one account: another KMS may leave others.
  useOffered(form, 'template', templates.data && !templates.loading ? templates.data.resources.map((/** @type {any} */ one) => one.id) : null, true);
  const { value, fault } = readPolicy(values.policy);
  const own = () => set({ policyKind: 'json', policy: values.policy || jsonText(standard(account ?? '')) });
  const chosen = (templates.data?.resources ?? []).find((/** @type {any} */ one) => one.id === values.template);
  return html`<div><${Segments} label="Policy" value=${values.policyKind} onChange=${(/** @type {string} */ kind) => (kind === 'json' ? own() : set({ policyKind: kind }))} options=${[['aws', 'AWS’s default'], ['template', 'A template'], ['json', 'Its own']]} /></div>
    ${values.policyKind === 'aws' && html`<${Card} title="AWS’s default" sub="the account’s root may do everything, so the policies of IAM decide"><${Json} value=${standard(account ?? '123456789012')} label="the policy" /><//>`}
    ${values.policyKind === 'template' && html`<div class="form one"><${SelectField} form=${form} name="template" label="Policy template" none="Choose a template" options=${(templates.data?.resources ?? []).map((/** @type {any} */ one) => [one.id, one.name])} hint="When the template changes, it can be pushed to the key." /></div>${chosen?.policy && html`<${Card} title=${chosen.name}><${Json} value=${chosen.policy} label="the policy" /><//>`}`}
    ${values.policyKind === 'json' && html`${fault && html`<${Note} tone="danger">Line ${fault.line}, column ${fault.column}: ${fault.message}<//>`}<section class="card"><div class="card-head"><h2>Who is named</h2></div><${PolicyPeople} policy=${value} inAws=${null} row=${{ kms, account_id: account }} set=${(/** @type {any} */ next) => set({ policy: jsonText(next) })} /></section>
      <section class="card"><div class="card-head"><h2>JSON</h2></div><${Editor} text=${values.policy} set=${(/** @type {string} */ policy) => set({ policy })} fault=${fault} /></section>`}`;
}
