// Answers of the API in place of the lab's, for pictures alone: grants, and changes that a drift watch tells. Others make them in AWS, and
// the stories do not.

const list = (resources) => ({ skip: 0, limit: 100, total: resources.length, resources });

/** As `GET cckm/aws/keys/{id}/grants`. @param {any} key */
export function grants(key) {
  const grant = (id, name, to, operations, more = {}) => ({ id, kms_id: key.kms_id, key_id: key.id, createdAt: '2026-03-02T10:11:12Z', updatedAt: '2026-03-02T10:11:12Z', aws_param: { KeyId: key.aws_param.Arn, GrantId: id.repeat(8), Name: name, GranteePrincipal: to, IssuingAccount: `arn:aws:iam::${key.account_id}:root`, Operations: operations, CreationDate: '2026-03-02T10:11:12Z', ...more } });
  return list([
    grant('0c237476', 'rds-prod', 'rds.eu-central-1.amazonaws.com', ['Encrypt', 'Decrypt', 'ReEncryptFrom', 'ReEncryptTo', 'GenerateDataKey', 'CreateGrant']),
    grant('b91fe2a0', '', `arn:aws:iam::${key.account_id}:role/service-role/nightly-statements-archive-writer`, ['GenerateDataKeyWithoutPlaintext'], { RetiringPrincipal: `arn:aws:iam::${key.account_id}:role/archive-admin`, Constraints: { EncryptionContextSubset: { bucket: 'statements' } } }),
  ]);
}

/** As `GET cckm/aws/drift-events`, and one of them. @param {any} key @returns {Array<[string, any]>} */
export function drift(key) {
  const event = (id, name, changes, more = {}) => ({ id, event_id: `7b9f3f0e-5a5c-4c0e-9d0e-00000000000${id}`, event_name: name, event_time: `2026-11-30T0${id}:15:00Z`, kms: key.kms, kms_id: key.kms_id, region: key.region, key_id: key.id, key_arn: key.aws_param.Arn, user_identity: `arn:aws:sts::${key.account_id}:assumed-role/break-glass/m.lindqvist`, user_type: 'AssumedRole', source_ip: '198.51.100.17', user_agent: 'aws-cli/2.15.0', request_id: `5d3f3f0e-5a5c-4c0e-9d0e-00000000000${id}`, changes, superseded: false, note: null, ...more });
  const policy = [{ Sid: 'BreakGlass', Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${key.account_id}:role/break-glass` }, Action: 'kms:*', Resource: '*' }];
  const all = [
    event(3, 'DisableKey', [{ aspect: 'state', before: 'Enabled', after: 'Disabled' }]),
    event(2, 'PutKeyPolicy', [{ aspect: 'policy', before: [], after: policy }]),
    event(1, 'UpdateKeyDescription', [], { superseded: true, note: 'Several events changed the description since the last reading; the difference is at the last one.' }),
  ];
  return [['/cckm/aws/drift-events', list(all)], ...all.map((one) => /** @type {[string, any]} */ ([`/cckm/aws/drift-events/${one.id}`, one]))];
}
