/** The filters of lists of keys, every one of the API, the usual ones first. `tests/browser/calls.mjs` compares them with the API's. */
import { shared } from '../../data.js';
import { YES_NO, kmsOptions } from '../../components/list/filters.js';

/** Words that stand for themselves. @param {string[]} words @returns {Array<[string, string]>} */
const same = (words) => words.map((word) => [word, word]);

/** Names of resources of a path, and the member by which keys have them. @param {string} path @param {string} member @param {Record<string, string>} [query] */
const named = (path, member, query) => async () => (await shared(path, { fields: `${member},name`, sort: 'name', limit: 200, ...query })).resources.map((/** @type {any} */ one) => /** @type {[string, string]} */ ([one[member], one.name]));

/** @type {import('../../components/list/filters.js').Filter[]} */
export const KEY_FILTERS = [
  { name: 'kms', title: 'KMS', many: true, options: kmsOptions },
  { name: 'region', title: 'Region', many: true, options: async () => same(Object.keys((await shared('/cckm/aws/posture')).by_region).sort()) },
  { name: 'keystate', title: 'State', many: true, options: same(['Enabled', 'Disabled', 'PendingDeletion', 'PendingImport', 'Unavailable', 'PendingReplicaDeletion']) },
  { name: 'origin', title: 'Origin', many: true, options: [['AWS_KMS', 'Native'], ['EXTERNAL', 'BYOK'], ['EXTERNAL_KEY_STORE', 'HYOK'], ['AWS_CLOUDHSM', 'CloudHSM']] },
  { name: 'key_spec', title: 'Spec', many: true, options: same(['SYMMETRIC_DEFAULT', 'RSA_2048', 'RSA_3072', 'RSA_4096', 'ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521', 'ECC_SECG_P256K1', 'SM2', 'HMAC_224', 'HMAC_256', 'HMAC_384', 'HMAC_512', 'ML_DSA_44', 'ML_DSA_65', 'ML_DSA_87']) },
  { name: 'keymanager', title: 'Managed by', options: [['CUSTOMER', 'us'], ['AWS', 'AWS']] },
  { name: 'keyusage', title: 'Usage', many: true, options: same(['ENCRYPT_DECRYPT', 'SIGN_VERIFY', 'GENERATE_VERIFY_MAC', 'KEY_AGREEMENT']) },
  { name: 'rotated_by', title: 'Rotated by', many: true, options: [['schedule', 'a schedule'], ['aws', 'AWS'], ['none', 'nothing']] },
  { name: 'rotation_job_enabled', title: 'Under a schedule', options: YES_NO },
  { name: 'job_config_id', title: 'Schedule', many: true, options: named('/scheduler/job-configs', 'id', { operation: 'cckm_key_rotation' }) },
  { name: 'rotation_status', title: 'Last rotation by a schedule', options: [['SUCCESSFUL', 'succeeded'], ['FAILED', 'failed']] },
  { name: 'material_since_before', title: 'Material from before', kind: 'date' },
  { name: 'material_since_after', title: 'Material since', kind: 'date' },
  { name: 'next_rotation_at_before', title: 'Rotated before', kind: 'date' },
  { name: 'next_rotation_at_after', title: 'Not rotated before', kind: 'date' },
  { name: 'valid_to_before', title: 'Material expires before', kind: 'date' },
  { name: 'valid_to_after', title: 'Material expires after', kind: 'date' },
  { name: 'alias', title: 'Alias', placeholder: 'alias/cards, or *cards*' },
  { name: 'description', title: 'Description' },
  { name: 'tags', title: 'Tag', placeholder: 'team, or team:payments' },
  { name: 'cckm_policy_template_id', title: 'Policy template', many: true, options: named('/cckm/aws/templates', 'id') },
  { name: 'account_id', title: 'Account', placeholder: '123456789012' },
  { name: 'cloud_name', title: 'Partition', many: true, options: same(['aws', 'aws-us-gov', 'aws-cn']) },
  { name: 'multi_region', title: 'Multi-region', options: YES_NO },
  { name: 'multi_region_key_type', title: 'Primary or replica', options: [['PRIMARY', 'primary'], ['REPLICA', 'replica']] },
  { name: 'key_material_origin', title: 'Material from', many: true, options: [['native', 'AWS'], ['cckm', 'here'], ['unknown', 'elsewhere']] },
  { name: 'key_source', title: 'Source', options: [['local', 'a source key']] },
  { name: 'custom_key_store_name', title: 'Key store', many: true, options: named('/cckm/aws/custom-key-stores', 'name') },
  { name: 'linked_state', title: 'Linked to AWS', options: YES_NO },
  { name: 'blocked', title: 'Blocked', options: YES_NO },
  { name: 'enabled', title: 'Enabled', options: YES_NO },
  { name: 'gone', title: 'Gone', options: YES_NO },
  { name: 'arn', title: 'ARN', placeholder: 'arn:aws:kms:…' },
  { name: 'keyid', title: 'Key id at AWS', placeholder: '1234abcd-12ab-34cd-56ef-1234567890ab' },
  { name: 'id', title: 'Id' },
];
