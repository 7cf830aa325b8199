import { test } from 'node:test';
import assert from 'node:assert/strict';
import { connectionResource, groupResource, keyResource, kmsResource, passwordPolicyResource, scheduleResource, sourceKeyResource, storeResource, templateResource, userResource } from '../../../web/app/lib/terraform.js';

test('a text of an object begins no expression', () => {
  const text = keyResource({ kms: 'payments', region: 'eu-west-3', aws_param: { Alias: ['alias/cards'], Description: 'a ${file("/etc/passwd")} "b" %{ if true }\u0008', Policy: { Statement: [{ Resource: '${aws:username}' }] } } });
  assert.match(text, /description = "a \$\$\{file\(\\"\/etc\/passwd\\"\)\} \\"b\\" %%\{ if true \}\\u0008"/);
  assert.match(text, /"Resource": "\$\$\{aws:username\}"/);
  assert.doesNotMatch(text.replaceAll('$${', '').replaceAll('%%{', ''), /[$%]\{/);
});

test('a native key, with its signs in a column', () => {
  const key = { kms: 'payments', region: 'eu-west-3', aws_param: { Alias: ['alias/cards', 'alias/9'], CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT', KeyUsage: 'ENCRYPT_DECRYPT', KeyState: 'Disabled', Tags: [{ TagKey: 'team', TagValue: 'a' }, { TagKey: 'cckm_policy_template_id', TagValue: 'T' }] } };
  assert.equal(keyResource(key), `resource "ciphertrust_aws_key" "cards" {
  kms                      = "payments"
  region                   = "eu-west-3"
  customer_master_key_spec = "SYMMETRIC_DEFAULT"
  key_usage                = "ENCRYPT_DECRYPT"
  alias                    = ["cards", "9"]
  enable_key               = false
  tags = {
    team = "a"
  }

  key_policy {
    policy_template = "T"
  }
}`);
});

test('keys of other origins', () => {
  const byok = keyResource({ kms: 'p', region: 'r', local_key_id: 'S', valid_to: '2027-01-01T00:00:00Z', aws_param: { Alias: ['alias/a'], Origin: 'EXTERNAL' }, labels: { job_config_id: 'J', auto_rotate_key_source: 'local' } });
  assert.match(byok, /upload_key \{\n {4}source_key_identifier = "S"\n {4}key_expiration {8}= true\n {4}valid_to {14}= "2027-01-01T00:00:00Z"\n {2}\}/);
  assert.match(byok, /enable_rotation \{\n {4}job_config_id = "J"\n {4}key_source {4}= "ciphertrust"\n {2}\}/);
  const held = keyResource({ local_hosted_params: { custom_key_store_id: 'C', source_key_id: 'S', linked_state: true, blocked: false }, aws_param: { Alias: ['alias/h'], Origin: 'EXTERNAL_KEY_STORE' } });
  assert.match(held, /^resource "ciphertrust_aws_xks_key" "h" \{\n {2}alias = \["h"\]\n\n {2}local_hosted_params \{/);
  assert.match(held, /linked {14}= true\n {4}blocked {13}= false/);
  assert.equal(keyResource({ aws_param: { Origin: 'EXTERNAL_KEY_STORE' } }), undefined);
  assert.match(keyResource({ region: 'r', aws_param: { MultiRegion: true, MultiRegionConfiguration: { MultiRegionKeyType: 'REPLICA' }, Alias: [] , KeyID: 'mrk-1' } }), /"mrk-1" \{\n {2}region = "r"\n\n {2}replicate_key \{\n {4}key_id = var.primary_key_id/);
});

test('a KMS has its permissions', () => {
  const text = kmsResource({ name: '1 pay', account_id: '123456789012', connection: 'c', regions: ['eu-west-3'], acls: [{ group: 'Key officers', actions: ['viewnative', 'keycreate'] }, { user_id: 'local|u', actions: ['all'] }] });
  assert.match(text, /^resource "ciphertrust_aws_kms" "_1_pay" \{\n {2}name {11}= "1 pay"\n {2}account_id {5}= "123456789012"\n {2}aws_connection = "c"\n {2}regions {8}= \["eu-west-3"\]\n\}/);
  assert.match(text, /resource "ciphertrust_aws_acl" "_1_pay_Key_officers" \{\n {2}kms_id {2}= ciphertrust_aws_kms\._1_pay\.id\n {2}group {3}= "Key officers"\n {2}actions = \["viewnative", "keycreate"\]\n\}/);
  assert.match(text, /user_id = "local\|u"/);
});

test('secrets are variables', () => {
  const texts = [connectionResource({ name: 'c', cloud_name: 'aws', access_key_id: 'AKIA', secret_access_key: 'hush' }), userResource({ username: 'ann', password: 'hush' }), sourceKeyResource({ name: 's', algorithm: 'aes', material: 'hush' }), connectionResource({ name: 'c', is_role_anywhere: true, iam_role_anywhere: { anywhere_role_arn: 'arn', private_key: 'hush' } })];
  for (const text of texts) {
    assert.doesNotMatch(text, /hush/);
    assert.match(text, /= var\./);
  }
});

test('schedules: what the provider has not is said', () => {
  const rotation = scheduleResource({ name: 'q', operation: 'cckm_key_rotation', run_at: '0 3 * * *', cckm_key_rotation_params: { cloud_name: 'aws', rotation_after: '80d', aws_param: { rotate_material: true, retain_alias: false } } });
  assert.match(rotation, /^# The provider has no rotation_after, which is 80d\.\nresource "ciphertrust_scheduler" "q"/);
  assert.match(rotation, /cckm_key_rotation_params \{\n {4}cloud_name {6}= "aws"\n {4}rotate_material = true\n {2}\}/);
  assert.match(scheduleResource({ name: 's', operation: 'cckm_synchronization', run_at: '@', cckm_synchronization_params: { cloud_name: 'aws', synchronize_all: true } }), /synchronize_all = true/);
  assert.equal(scheduleResource({ name: 'w', operation: 'cckm_drift_watch' }), undefined);
});

test('key stores and templates', () => {
  const store = storeResource({ name: 'x', kms: 'p', region: 'r', type: 'LOCAL', aws_param: { connection_state: 'CONNECTED', xks_proxy_uri_endpoint: 'https://a', xks_proxy_connectivity: 'PUBLIC_ENDPOINT' }, local_hosted_params: { linked_state: true, max_credentials: 8, health_check_key_id: 'h', blocked: true }, caller_rules: { principals: ['*'] } });
  assert.match(store, /^# The provider has no caller_rules/);
  assert.match(store, /connect_disconnect_keystore = "CONNECT_KEYSTORE"/);
  assert.match(store, /blocked {13}= true/);
  assert.equal(storeResource({ type: 'REMOTE' }), undefined);
  const people = templateResource({ name: 't', kms: 'id', kms_name: 'payments', key_admins: ['user1'], key_users: [], policy: '{"Version":"x"}' });
  assert.match(people, /key_admins = \["user1"\]/);
  assert.doesNotMatch(people, /policy {4}=|Version|key_users/);
  assert.match(templateResource({ name: 't', kms: 'payments', policy: '{"Version":"x"}' }), /policy {4}= <<-EOT\n {4}\{\n {6}"Version": "x"\n {4}\}\n {2}EOT/);
  assert.match(groupResource({ name: 'Key officers', description: 'd' }), /^resource "ciphertrust_groups" "Key_officers"/);
  assert.match(passwordPolicyResource({ policy_name: 'm', inclusive_min_digits: 0, password_expiry_notification_days: 5, failed_logins_lockout_thresholds: [0, 5] }), /inclusive_min_digits {13}= 0\n {2}failed_logins_lockout_thresholds = \[0, 5\]/);
});
