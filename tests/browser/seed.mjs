// Fills a lab for the pages and stories, by the API.
import { password } from './browser.mjs';
import { seedPeople } from './seed-people.mjs';

const NAMES = ['atm-pin-block', 'cards', 'chargebacks-s3', 'dispute-evidence', 'fraud-features', 'kyc-documents', 'pan-tokens', 'payroll', 'rds-core', 'refunds-queue', 'statements-archive', 'poc-tokenizer', 'sso-sessions', 'mfa-secrets', 'lake-raw', 'geo-cache'];
const REGIONS = ['eu-central-1', 'eu-west-3', 'us-east-1'];
/** What people type into names: shown as text, never run, never breaking a page. */
const ODD = '<img src=x onerror=alert(1)> "quoted" \u202Eright to left\u202C 🗝 ';
export const LONGEST = `terminals-eu-2019-firmware-signing-${'x'.repeat(210)}`;
export const MEMBER = { username: 'operator-1', password: 'Lab-user-2026-pass' };

/** @param {string} base */
export async function client(base, username = 'admin', secret = password) {
  let token = '';
  const call = async (method, path, body) => {
    // A token is good for minutes, and the stories take longer.
    if (token !== '' && performance.now() > until) await signIn();
    const answer = await fetch(`${base}/api/v1/${path}`, { method, headers: { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) }, body: body && JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 300)}`);
    return text === '' ? null : JSON.parse(text);
  };
  let until = 0;
  const signIn = async () => {
    token = '';
    const given = await call('POST', 'auth/tokens', { username, password: secret });
    token = given.jwt;
    until = performance.now() + (given.duration - 60) * 1000;
  };
  await signIn();
  return call;
}

/** @param {string} base */
export async function seed(base) {
  const call = await client(base);
  const have = await call('GET', 'cckm/aws/kms?limit=10');
  const named = (name) => have.resources.find((one) => one.name === name);
  const payments = named('payments') ?? (await call('POST', 'cckm/aws/kms', { name: 'payments', account_id: '123456789012', connection: 'test_aws-connection', regions: REGIONS }));
  const identity = named('identity') ?? (await call('POST', 'cckm/aws/kms', { name: 'identity', account_id: '789012123456', connection: 'test_aws-connection', assume_role_arn: 'arn:aws:iam::789012123456:role/test-assume-role-ac', assume_role_external_id: 'test-ext-id', regions: ['eu-central-1', 'eu-west-1'] }));
  const keys = {};
  for (const [i, name] of NAMES.entries()) {
    const elsewhere = i % 5 === 4;
    const found = await call('GET', `cckm/aws/keys?alias=alias/${name}`);
    keys[name] = found.resources[0] ?? (await call('POST', 'cckm/aws/keys', { kms: elsewhere ? 'identity' : 'payments', region: elsewhere ? 'eu-west-1' : REGIONS[i % 3], aws_param: { Alias: name, Description: i === 0 ? ODD.repeat(3) : `Made for ${name}`, Tags: [{ TagKey: 'team', TagValue: i % 2 ? 'payments' : 'data' }], MultiRegion: name === 'mfa-secrets' } }));
  }
  for (const [name, spec, usage] of [['settlement-signing', 'RSA_3072', 'SIGN_VERIFY'], ['sepa-batch-signing', 'ECC_NIST_P384', 'SIGN_VERIFY'], ['webhooks-hmac', 'HMAC_256', 'GENERATE_VERIFY_MAC'], [LONGEST, 'SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT']]) {
    const found = await call('GET', `cckm/aws/keys?alias=alias/${name}`);
    keys[name] = found.resources[0] ?? (await call('POST', 'cckm/aws/keys', { kms: 'payments', region: 'eu-central-1', aws_param: { Alias: name, KeySpec: spec, KeyUsage: usage } }));
  }
  const sources = await call('GET', 'vault/keys2?limit=10');
  if (sources.total === 0) {
    for (const name of ['cards-2026-q4', 'cards-2027-q1', 'root-2026']) await call('POST', 'vault/keys2', { name, algorithm: 'aes', size: 256 });
    keys['card-vault'] = await call('POST', 'cckm/aws/upload-key', { kms: 'payments', region: 'eu-west-3', source_key_identifier: 'cards-2026-q4', aws_param: { Alias: 'card-vault', Description: 'Card numbers at rest' } });
    for (const region of ['us-east-1', 'eu-central-1']) await call('POST', `cckm/aws/keys/${keys['mfa-secrets'].id}/replicate-key`, { replica_region: region });
    await call('POST', `cckm/aws/keys/${keys['kyc-documents'].id}/disable`, {});
    await call('POST', `cckm/aws/keys/${keys['poc-tokenizer'].id}/schedule-deletion`, { days: 12 });
    await call('POST', `cckm/aws/keys/${keys.payroll.id}/enable-auto-rotation`, { rotation_period_in_days: 365 });
    const schedule = await call('POST', 'scheduler/job-configs', { name: 'quarterly-byok', operation: 'cckm_key_rotation', run_at: '0 3 2 */3 *', cckm_key_rotation_params: { cloud_name: 'aws', aws_param: { rotate_material: true } } });
    await call('POST', `cckm/aws/keys/${keys['card-vault'].id}/enable-rotation-job`, { job_config_id: schedule.id });
    await call('POST', 'scheduler/job-configs', { name: 'nightly-sync', operation: 'cckm_synchronization', run_at: '15 2 * * *', cckm_synchronization_params: { cloud_name: 'aws', synchronize_all: true } });
    const made = await call('POST', 'usermgmt/users', { ...MEMBER, email: 'operator-1@example.org' });
    await call('POST', `usermgmt/groups/${encodeURIComponent('CCKM Users')}/users/${encodeURIComponent(made.user_id)}`, {});
    await call('POST', `cckm/aws/kms/${payments.id}/update-acls`, { acls: [{ group: 'CCKM Users', actions: ['viewnative'], permit: true }] });
  }
  keys['card-vault'] ??= (await call('GET', 'cckm/aws/keys?alias=alias/card-vault')).resources[0];
  const people = await seedPeople(call, payments);
  const store = await seedStore(call);
  const held = (await call('GET', 'cckm/aws/keys?alias=alias/ledger-primary')).resources[0];
  const reports = await call('GET', 'cckm/aws/reports?limit=1');
  const report = reports.resources[0] ?? (await call('POST', 'cckm/aws/reports', { name: 'Ages of the keys', report_type: 'key-aging', cloud_watch_params: [{ kms: 'payments' }] }));
  const templates = await call('GET', 'cckm/aws/templates?limit=1');
  const template = templates.resources[0] ?? (await call('POST', 'cckm/aws/templates', { name: 'read by the account', kms: 'payments' }));
  const begun = (await call('GET', `cckm/aws/keys/${keys.cards.id}/history?sort=-seq&limit=1`)).resources[0].time;
  return { call, begun, payments, identity, keys, people, store, held, report, template };
}

/** A key store that AWS is connected to, with a HYOK key. @param {(method: string, path: string, body?: any) => Promise<any>} call */
async function seedStore(call) {
  const found = await call('GET', 'cckm/aws/custom-key-stores?name=xks-frankfurt');
  if (found.total > 0) return found.resources[0];
  const held = { algorithm: 'aes', size: 256, unexportable: true, undeletable: true };
  const health = await call('POST', 'vault/keys2', { name: 'xks-health', ...held });
  const source = await call('POST', 'vault/keys2', { name: 'ledger-2026', ...held });
  const store = await call('POST', 'cckm/aws/custom-key-stores', { name: 'xks-frankfurt', kms: 'payments', region: 'eu-central-1', linked_state: true, aws_param: { xks_proxy_uri_endpoint: 'https://xks.lab.internal' }, local_hosted_params: { health_check_key_id: health.id, max_credentials: 8 } });
  await call('POST', `cckm/aws/custom-key-stores/${store.id}/connect`, {});
  for (let i = 0; i < 60; i += 1) {
    const now = await call('GET', `cckm/aws/custom-key-stores/${store.id}`);
    if (now.aws_param.connection_state === 'CONNECTED') break;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  await call('POST', 'cckm/aws/create-hyok-key', { local_hosted_params: { custom_key_store_id: store.id, source_key_id: source.id, linked_state: true }, aws_param: { Alias: 'ledger-primary' } });
  return store;
}
