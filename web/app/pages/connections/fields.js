/** The fields of a connection, for adding and for changing one; what of them the API gets. */
import { html } from '../../view.js';
import { AreaField, SelectField, TextField } from '../../components/form.js';
import { Segments } from '../../components/segments.js';
import { PARTITIONS } from './parts.js';

export const EMPTY = {
  name: '', description: '', cloud_name: 'aws', access_key_id: '', secret_access_key: '', assume_role_arn: '', assume_role_external_id: '', aws_region: '', aws_sts_regional_endpoints: 'regional',
  is_role_anywhere: false, anywhere_role_arn: '', profile_arn: '', trust_anchor_arn: '', certificate: '', private_key: '', more: false,
};
/** What never goes into a draft. */
export const SECRETS = ['secret_access_key', 'private_key'];

/** The body of the call; empty ones are left out. @param {any} values @returns {Record<string, any>} */
export function bodyOf(values) {
  const { more, base, is_role_anywhere: anywhere, access_key_id, secret_access_key, anywhere_role_arn, profile_arn, trust_anchor_arn, certificate, private_key, ...rest } = values;
  const filled = (/** @type {Record<string, any>} */ of) => Object.fromEntries(Object.entries(of).filter(([, value]) => value !== ''));
  const keys = anywhere ? { is_role_anywhere: true, iam_role_anywhere: filled({ anywhere_role_arn, profile_arn, trust_anchor_arn, certificate, private_key }) } : filled({ access_key_id, secret_access_key });
  return { ...filled(rest), ...keys, products: ['cckm'] };
}

/** @param {{form: import('../../components/form.js').Form, kept?: boolean}} props kept: secrets that are not typed stay */
export function ConnectionFields({ form, kept }) {
  const { values } = form;
  const secret = kept ? 'kept if it is left empty' : undefined;
  return html`<div class="form"><${TextField} form=${form} name="name" label="Name" placeholder="payments-account" /><${SelectField} form=${form} name="cloud_name" label="Partition" options=${PARTITIONS} />
      <div class="full row"><${Segments} label="How Claviger signs in" value=${values.is_role_anywhere} onChange=${(/** @type {boolean} */ value) => form.set({ is_role_anywhere: value })} options=${/** @type {any} */ ([[false, 'Access key'], [true, 'Roles Anywhere, by a certificate']])} /></div>
      ${values.is_role_anywhere ? html`<${TextField} form=${form} name="anywhere_role_arn" label="Role ARN" mono placeholder="arn:aws:iam::123456789012:role/claviger" full /><${TextField} form=${form} name="profile_arn" label="Profile ARN" mono /><${TextField} form=${form} name="trust_anchor_arn" label="Trust anchor ARN" mono />
          <${AreaField} form=${form} name="certificate" label="Certificate" mono rows=${5} hint="PEM; its chain may follow." /><${AreaField} form=${form} name="private_key" label="Private key" optional=${secret} mono rows=${5} hint="PEM; RSA, P-256 or P-521. Sealed, never shown again." />`
        : html`<${TextField} form=${form} name="access_key_id" label="Access key id" mono placeholder="AKIA…" /><${TextField} form=${form} name="secret_access_key" label="Secret access key" optional=${secret} type="password" autocomplete="new-password" hint="Sealed, never shown again." />`}
      ${values.more || values.assume_role_arn || values.description || values.aws_region ? html`<${TextField} form=${form} name="assume_role_arn" label="Role to assume" optional mono placeholder="arn:aws:iam::345678901234:role/claviger" /><${TextField} form=${form} name="assume_role_external_id" label="External id" optional />
          <${TextField} form=${form} name="aws_region" label="Region of the first calls" optional placeholder="us-east-1" /><${SelectField} form=${form} name="aws_sts_regional_endpoints" label="STS endpoints" options=${[['regional', 'regional'], ['legacy', 'legacy']]} /><${TextField} form=${form} name="description" label="Description" optional full />`
        : html`<div class="full"><button type="button" class="link" onClick=${() => form.set({ more: true })}>Use a role, a region, a description…</button></div>`}</div>`;
}
