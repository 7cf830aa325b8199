/**
 * Pure functions: objects of the API, or bodies that make them, as resources of the vendor's Terraform provider (version 1.0.1, as in
 * docs/examples/terraform). Secrets are variables, since the API does not tell them.
 */

/** Text of the language that is no string, such as `var.password`. @param {string} text */
const raw = (text) => ({ raw: text });
/** A block within a resource: `name { … }`. @param {Record<string, any>} body */
const block = (body) => ({ block: body });

/** What begins an expression or a directive within a text of the language is doubled. @param {string} text */
const plain = (text) => text.replace(/[$%](?=\{)/g, (sign) => sign + sign);

/** A string; JSON's escapes are the language's, but for those of control characters. @param {string} text */
const quoted = (text) => plain(JSON.stringify(text).replace(/\\[bf]/g, (escape) => (escape === '\\b' ? '\\u0008' : '\\u000c')));

/** The name of an attribute or a key of a map. @param {string} name */
const key = (name) => (/^[A-Za-z_][\w-]*$/.test(name) ? name : quoted(name));

/** Whether there is nothing to say: not given, or nothing in it. @param {any} value @returns {boolean} */
const isEmpty = (value) => {
  if (value === undefined || value === null || value === '') return true;
  if (typeof value !== 'object' || value.raw !== undefined || value.text !== undefined) return false;
  return Object.values(value.block ?? value).every(isEmpty);
};

/** @param {any} value @param {string} indent @returns {string} */
function valueOf(value, indent) {
  if (typeof value === 'string') return quoted(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map((one) => valueOf(one, indent)).join(', ')}]`;
  if (value.raw !== undefined) return value.raw;
  if (value.text !== undefined) return `<<-EOT\n${plain(value.text).split('\n').map((/** @type {string} */ line) => `${indent}  ${line}`).join('\n')}\n${indent}EOT`;
  return `{\n${bodyOf(value, `${indent}  `)}\n${indent}}`;
}

/** The attributes, then the blocks. As the formatter of Terraform has it, signs are in a column, which a map ends. @param {Record<string, any>} body @param {string} indent @returns {string} */
function bodyOf(body, indent) {
  const filled = Object.entries(body).filter(([, value]) => !isEmpty(value));
  const lines = /** @type {string[]} */ ([]);
  let run = /** @type {string[][]} */ ([]);
  const end = () => {
    const wide = Math.max(0, ...run.map(([name]) => name.length));
    lines.push(...run.map(([name, value]) => `${indent}${name.padEnd(wide)} = ${value}`));
    run = [];
  };
  for (const [name, value] of filled.filter((one) => one[1].block === undefined)) {
    const text = valueOf(value, indent);
    if (text.startsWith('{')) end();
    run.push([key(name), text]);
    if (text.startsWith('{')) end();
  }
  end();
  const blocks = filled.filter(([, value]) => value.block !== undefined).map(([name, value]) => `${indent}${name} {\n${bodyOf(value.block, `${indent}  `)}\n${indent}}`);
  return [lines.join('\n'), ...blocks].filter((part) => part !== '').join('\n\n');
}

/** The label of a resource: letters, digits, `_` and `-`. @param {string} name */
function label(name) {
  const text = String(name ?? '').replace(/^alias\//, '').replace(/[^A-Za-z0-9_-]+/g, '_');
  return /^[A-Za-z_]/.test(text) ? text : `_${text}`;
}

/** @param {string} type @param {string} name @param {Record<string, any>} body */
const resource = (type, name, body) => `resource "ciphertrust_${type}" "${label(name)}" {\n${bodyOf(body, '  ')}\n}`;

/** A policy in lines, however it came. @param {any} policy */
function policyText(policy) {
  if (policy === undefined || policy === null || policy === '') return undefined;
  try {
    return { text: JSON.stringify(typeof policy === 'string' ? JSON.parse(policy) : policy, null, 2) };
  } catch {
    return { text: String(policy) };
  }
}

/** The principals by whom a policy is made, if it is. @param {any} of */
const principals = (of) => ({ key_admins: of.key_admins, key_admins_roles: of.key_admins_roles, key_users: of.key_users, key_users_roles: of.key_users_roles, external_accounts: of.external_accounts });

/** Either the principals or the policy: the provider takes one of them. @param {any} of @param {any} policy */
const policyOf = (of, policy) => (Object.values(principals(of)).some((list) => list?.length > 0) ? principals(of) : { policy: policyText(policy) });

const TEMPLATE_TAG = 'cckm_policy_template_id';

/** A key: native, with material from here, held here, or of a CloudHSM cluster; undefined for those of another proxy. @param {any} of the key, or a body that makes one */
export function keyResource(of) {
  const aws = of.aws_param ?? {};
  const aliases = [aws.Alias ?? []].flat().map((/** @type {string} */ alias) => alias.replace(/^alias\//, ''));
  const tags = Object.fromEntries((aws.Tags ?? []).map((/** @type {any} */ tag) => [tag.TagKey, tag.TagValue]));
  const template = of.policytemplate ?? tags[TEMPLATE_TAG];
  delete tags[TEMPLATE_TAG];
  const spec = aws.CustomerMasterKeySpec ?? aws.KeySpec;
  const config = aws.MultiRegion ? aws.MultiRegionConfiguration : undefined;
  const isReplica = config?.MultiRegionKeyType === 'REPLICA';
  const source = of.local_key_id ?? of.source_key_identifier;
  const until = of.valid_to ?? aws.ValidTo;
  const schedule = of.labels?.job_config_id;
  const policy = block(template ? { policy_template: template } : policyOf(of, aws.Policy));
  const shared = { alias: aliases, description: aws.Description, enable_key: aws.KeyState === 'Disabled' ? false : undefined, tags, key_policy: policy };
  // The provider has schedules with material from here alone.
  const rotation = schedule && of.labels.auto_rotate_key_source !== 'native' ? block({ job_config_id: schedule, key_source: 'ciphertrust', disable_encrypt: of.labels.auto_rotate_disable_encrypt === 'true' ? true : undefined }) : undefined;
  const name = aliases[0] ?? aws.KeyID ?? of.id ?? 'key';
  const local = of.local_hosted_params;
  if (local) return resource('aws_xks_key', name, { ...shared, enable_rotation: rotation, local_hosted_params: block({ custom_key_store_id: local.custom_key_store_id, source_key_id: local.source_key_id, source_key_tier: local.source_key_tier ?? 'local', linked: local.linked_state ?? false, blocked: local.blocked ?? false }) });
  if (aws.Origin === 'EXTERNAL_KEY_STORE') return undefined;
  if (aws.Origin === 'AWS_CLOUDHSM') return resource('aws_cloudhsm_key', name, { custom_key_store_id: of.custom_key_store_id, ...shared });
  return resource('aws_key', name, {
    ...(isReplica ? {} : { kms: of.kms }), region: of.region, ...(isReplica ? {} : { customer_master_key_spec: spec, key_usage: aws.KeyUsage, multi_region: aws.MultiRegion || undefined }), ...shared,
    auto_rotate: aws.KeyRotationEnabled || undefined, auto_rotation_period_in_days: aws.KeyRotationEnabled ? aws.RotationPeriodInDays : undefined, origin: aws.Origin === 'EXTERNAL' && !source && !isReplica ? 'EXTERNAL' : undefined,
    replicate_key: isReplica ? block({ key_id: raw('var.primary_key_id'), import_key_material: aws.Origin === 'EXTERNAL' || undefined }) : undefined,
    upload_key: source && !isReplica ? block({ source_key_identifier: source, key_expiration: until ? true : undefined, valid_to: until }) : undefined, enable_rotation: rotation,
  });
}

/** A KMS with the permissions on it. @param {any} of */
export function kmsResource(of) {
  const name = label(of.name);
  const acls = (of.acls ?? []).map((/** @type {any} */ acl) => resource('aws_acl', `${of.name}_${acl.group ?? String(acl.user_id).replace(/^local\|/, '')}`, { kms_id: raw(`ciphertrust_aws_kms.${name}.id`), group: acl.group, user_id: acl.group ? undefined : acl.user_id, actions: acl.actions }));
  return [resource('aws_kms', of.name, { name: of.name, account_id: of.account_id, aws_connection: of.connection, regions: of.regions, assume_role_arn: of.assume_role_arn, assume_role_external_id: of.assume_role_external_id }), ...acls].join('\n\n');
}

/** A connection; its secret is a variable. @param {any} of */
export function connectionResource(of) {
  const anywhere = of.iam_role_anywhere ?? {};
  return resource('aws_connection', of.name, {
    name: of.name, description: of.description, cloud_name: of.cloud_name, products: ['cckm'],
    ...(of.is_role_anywhere ? { is_role_anywhere: true, iam_role_anywhere: { anywhere_role_arn: anywhere.anywhere_role_arn, profile_arn: anywhere.profile_arn, trust_anchor_arn: anywhere.trust_anchor_arn, certificate: anywhere.certificate ? { text: String(anywhere.certificate).trim() } : raw('var.certificate'), private_key: raw('var.private_key') } } : { access_key_id: of.access_key_id, secret_access_key: raw('var.secret_access_key') }),
    assume_role_arn: of.assume_role_arn, assume_role_external_id: of.assume_role_external_id, aws_region: of.aws_region, aws_sts_regional_endpoints: of.aws_sts_regional_endpoints, labels: of.labels, meta: of.meta,
  });
}

/** A schedule; undefined if the provider has none of its kind. @param {any} of */
export function scheduleResource(of) {
  const { cckm_key_rotation_params: rotation, cckm_synchronization_params: synchronization, database_backup_params: backup } = of;
  const kinds = /** @type {Record<string, any>} */ ({
    cckm_key_rotation: { cckm_key_rotation_params: block({ cloud_name: rotation?.cloud_name ?? 'aws', expiration: rotation?.expiration, expire_in: rotation?.expire_in, aws_retain_alias: rotation?.aws_param?.retain_alias || undefined, rotate_material: rotation?.aws_param?.rotate_material || undefined }) },
    cckm_synchronization: { cckm_synchronization_params: block({ cloud_name: synchronization?.cloud_name ?? 'aws', kms: synchronization?.kms, synchronize_all: synchronization?.synchronize_all || undefined }) },
    cckm_xks_credential_rotation: { cckm_xks_credential_rotation_params: { cloud_name: 'aws' } },
    database_backup: { database_backup_params: { description: backup?.description, retention_count: backup?.retentionCount } },
  });
  if (kinds[of.operation] === undefined) return undefined;
  const made = resource('scheduler', of.name, { name: of.name, description: of.description, operation: of.operation, run_at: of.run_at, run_on: of.run_on, start_date: of.start_date, end_date: of.end_date, disabled: of.disabled || undefined, ...kinds[of.operation] });
  return rotation?.rotation_after ? `# The provider has no rotation_after, which is ${rotation.rotation_after}.\n${made}` : made;
}

/** A policy template. @param {any} of */
export const templateResource = (of) => resource('aws_policy_template', of.name, { name: of.name, kms: of.kms_name ?? of.kms, account_id: of.kms ? undefined : of.account_id, ...policyOf(of, of.policy), auto_push: true });

/** A key store that is served here, or of a CloudHSM cluster; undefined for those of another proxy. @param {any} of */
export function storeResource(of) {
  const { aws_param: aws = {}, local_hosted_params: local = {} } = of;
  if (of.type === 'REMOTE') return undefined;
  const base = { name: of.name, kms: of.kms, region: of.region };
  const connection = aws.connection_state === 'CONNECTED' ? 'CONNECT_KEYSTORE' : aws.connection_state === 'DISCONNECTED' ? 'DISCONNECT_KEYSTORE' : undefined;
  if (aws.custom_key_store_type === 'AWS_CLOUDHSM') return resource('aws_custom_keystore', of.name, { ...base, connect_disconnect_keystore: connection, aws_param: block({ custom_key_store_type: 'AWS_CLOUDHSM', cloud_hsm_cluster_id: aws.cloud_hsm_cluster_id, key_store_password: raw('var.key_store_password'), trust_anchor_certificate: aws.trust_anchor_certificate ? { text: aws.trust_anchor_certificate.trim() } : undefined }) });
  const isLinked = local.linked_state ?? of.linked_state ?? false;
  const made = resource('aws_custom_keystore', of.name, {
    ...base, linked_state: isLinked, connect_disconnect_keystore: isLinked ? connection : undefined, enable_success_audit_event: of.enable_success_audit_event || undefined,
    aws_param: block({ custom_key_store_type: 'EXTERNAL_KEY_STORE', xks_proxy_connectivity: aws.xks_proxy_connectivity || 'PUBLIC_ENDPOINT', xks_proxy_uri_endpoint: aws.xks_proxy_uri_endpoint, xks_proxy_vpc_endpoint_service_name: aws.xks_proxy_vpc_endpoint_service_name }),
    local_hosted_params: block({ health_check_key_id: local.health_check_key_id, max_credentials: local.max_credentials, source_key_tier: local.source_key_tier || 'local', blocked: local.blocked || undefined, mtls_enabled: local.mtls_enabled || undefined }),
  });
  return Object.values(of.caller_rules ?? {}).some((list) => list?.length > 0) ? `# The provider has no caller_rules, which this store has.\n${made}` : made;
}

/** A source key; the material of one that was brought is not told. @param {any} of */
export function sourceKeyResource(of) {
  const isCurve = /^ec$/i.test(of.algorithm ?? '');
  return resource('cm_key', of.name, { name: of.name, algorithm: of.algorithm, key_size: isCurve ? undefined : of.size, curveid: isCurve ? of.curveid : undefined, material: of.material ? raw('var.material') : undefined, description: of.description, unexportable: of.unexportable || undefined, undeletable: of.undeletable || undefined, labels: of.labels });
}

/** A user; the password is a variable. @param {any} of */
export const userResource = (of) => resource('user', of.username, { username: of.username, name: of.name, nickname: of.nickname === of.username ? undefined : of.nickname, email: of.email, password: raw('var.password'), password_change_required: of.password_change_required || undefined });

/** A group. @param {any} of */
export const groupResource = (of) => resource('groups', of.name, { name: of.name, description: of.description });

/** A password policy. @param {any} of */
export function passwordPolicyResource(of) {
  const numbers = Object.fromEntries(Object.entries(of).filter(([name]) => /^(inclusive_|password_(history_threshold|lifetime|change_min_days)$)/.test(name)));
  return resource('password_policy', of.policy_name, { policy_name: of.policy_name, ...numbers, failed_logins_lockout_thresholds: of.failed_logins_lockout_thresholds });
}
