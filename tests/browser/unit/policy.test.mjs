import { test } from 'node:test';
import assert from 'node:assert/strict';
import { actionWords, ADMIN_ACTIONS, lockoutOf, losing, people, permitting, principalWords, readPolicy, USE_ACTIONS, without } from '../../../web/app/lib/policy.js';
import { listOf } from '../../../web/app/lib/query.js';
import { jsonText } from '../../../web/app/lib/text.js';

const ROOT = 'arn:aws:iam::123456789012:root';
const API = 'arn:aws:iam::123456789012:role/payments/api';
const statement = (principal, more = {}) => ({ Effect: 'Allow', Principal: principal, Action: 'kms:*', Resource: '*', ...more });

test('a policy is read, or its fault is at a line and a column', () => {
  assert.deepEqual(readPolicy('{"Version": "2012-10-17"}'), { value: { Version: '2012-10-17' }, fault: null });
  const { value, fault } = readPolicy('{\n  "Statement": [\n    {},\n  ]\n}');
  assert.equal(value, null);
  assert.deepEqual([fault.line, fault.column], [4, 3]);
  assert.ok(fault.message.endsWith('.') && !fault.message.includes('position'));
  assert.equal(readPolicy('').fault.line, 1);
});

test('the fault is where the text stops being JSON', () => {
  const at = (text) => {
    const { fault } = readPolicy(text);
    return [fault.line, fault.column];
  };
  assert.deepEqual(at('{"a": [1, -2.5e3, true, null, "\\u00e9\\n"], "b": tru}'), [1, 49]);
  assert.deepEqual(at('{"a" 1}'), [1, 6]);
  assert.deepEqual(at('{"a": 1} x'), [1, 10]);
  assert.deepEqual(at('{\n"a": "not ended\n}'), [2, 6]);
  assert.deepEqual(at("{'a': 1}"), [1, 2]);
  assert.deepEqual(at('{"a": 1'), [1, 8]);
  assert.deepEqual(at('{,}'), [1, 2]);
});

test('only an object is a policy', () => {
  for (const text of ['[]', '"a"', '1', 'null']) assert.match(readPolicy(text).fault.message, /is an object/);
});

test('one or several are a list', () => {
  assert.deepEqual([listOf(undefined), listOf(null), listOf('a'), listOf(['a', 'b'])], [[], [], ['a'], ['a', 'b']]);
});

test('actions are said by what they are for', () => {
  assert.equal(actionWords(['kms:*']), 'everything');
  assert.equal(actionWords(['kms:Decrypt']), 'decrypt');
  assert.equal(actionWords(['kms:Encrypt', 'kms:Decrypt', 'kms:GenerateDataKey*', 'KMS:DescribeKey']), 'encrypt, decrypt, make data keys and read about it');
  assert.equal(actionWords(['kms:CreateGrant', 'kms:ScheduleKeyDeletion']), 'give grants and administer it');
  assert.equal(actionWords(['kms:Sign']), 'use it');
  assert.equal(actionWords([]), 'nothing');
});

test('principals are said by their kind and name', () => {
  assert.equal(principalWords('*'), 'everyone');
  assert.equal(principalWords(ROOT), 'account 123456789012');
  assert.equal(principalWords('123456789012'), 'account 123456789012');
  assert.equal(principalWords(API), 'role api');
  assert.equal(principalWords('arn:aws-cn:iam::123456789012:user/ops'), 'user ops');
  assert.equal(principalWords('arn:aws:sts::123456789012:assumed-role/api/i-1'), 'session i-1');
  assert.equal(principalWords('lambda.amazonaws.com'), 'lambda.amazonaws.com');
});

test('who is named: a line for each statement and principal', () => {
  const policy = { Statement: [statement({ AWS: [ROOT, API], Service: 'lambda.amazonaws.com' }, { Sid: 'a' }), statement('*', { Effect: 'Deny', Condition: { Bool: {} } }), { Effect: 'Allow', Principal: { AWS: API }, NotAction: 'kms:Delete*' }] };
  const found = people(policy);
  assert.deepEqual(found.map((one) => [one.principal, one.allow, one.conditions, one.statement]), [[ROOT, true, false, 0], [API, true, false, 0], ['lambda.amazonaws.com', true, false, 0], ['*', false, true, 1], [API, true, true, 2]]);
  assert.equal(found[0].sid, 'a');
  assert.deepEqual(found[4].actions, ['kms:Delete*']);
  assert.deepEqual(people({ Statement: statement({ AWS: ROOT }) }).map((one) => one.principal), [ROOT]);
  assert.deepEqual(people(null), []);
});

test('a principal is taken out of one statement alone; a statement without principals goes', () => {
  const policy = { Version: '2012-10-17', Statement: [statement({ AWS: [ROOT, API] }), statement({ AWS: API, Service: 's3.amazonaws.com' }), statement({ AWS: API }), statement('*')] };
  assert.deepEqual(without(policy, 0, API).Statement, [statement({ AWS: ROOT }), ...policy.Statement.slice(1)]);
  assert.deepEqual(without(policy, 1, API).Statement[1], statement({ Service: 's3.amazonaws.com' }));
  assert.deepEqual(without(policy, 2, API).Statement, [policy.Statement[0], policy.Statement[1], policy.Statement[3]]);
  assert.deepEqual(without(policy, 3, '*').Statement, policy.Statement.slice(0, 3));
  assert.equal(without(policy, 0, API).Version, '2012-10-17');
});

test('who may do more joins the statement that permits just that, or gets one', () => {
  const made = permitting({ Statement: [statement({ AWS: ROOT })] }, [API], 'use');
  assert.deepEqual(made.Statement[0], statement({ AWS: ROOT }));
  assert.deepEqual(made.Statement[1], { Sid: 'Use of the key', Effect: 'Allow', Principal: { AWS: [API] }, Action: USE_ACTIONS, Resource: '*' });
  const joined = permitting(made, [ROOT, API], 'use');
  assert.equal(joined.Statement.length, 2);
  assert.deepEqual(joined.Statement[1].Principal.AWS, [API, ROOT]);
  assert.deepEqual(permitting({}, [API], 'administer').Statement[0].Action, ADMIN_ACTIONS);
});

test('no one joins a statement that has conditions, denies, or is for everyone', () => {
  const use = { Action: [...USE_ACTIONS].reverse(), Resource: '*' };
  for (const other of [{ ...use, Effect: 'Allow', Principal: { AWS: ROOT }, Condition: { Bool: {} } }, { ...use, Effect: 'Deny', Principal: { AWS: ROOT } }, { ...use, Effect: 'Allow', Principal: '*' }]) {
    assert.deepEqual(permitting({ Statement: [other] }, [API], 'use').Statement[0], other);
  }
  assert.deepEqual(permitting({ Statement: [{ ...use, Effect: 'Allow', Principal: { AWS: ROOT } }] }, [API], 'use').Statement[0].Principal.AWS, [ROOT, API]);
});

test('the text of a policy is read back as the same', () => {
  const policy = { Statement: [statement({ AWS: ROOT })] };
  assert.deepEqual(readPolicy(jsonText(policy)).value, policy);
  assert.equal(jsonText(undefined), '');
  assert.equal(jsonText('{ }'), '{ }');
  assert.equal(jsonText(policy).split('\n')[1], '  "Statement": [');
});

test('who used the key and would lose it is known from the policy alone', () => {
  const role = { principal: API, account: '123456789012', operations: { Decrypt: 3 } };
  const other = { principal: 'arn:aws:iam::345678901234:user/ops', account: '345678901234', operations: { GenerateDataKey: 2 } };
  const policy = (...statements) => ({ Statement: statements });
  const before = policy(statement({ AWS: API }, { Action: ['kms:Decrypt', 'kms:GenerateDataKey*'] }), statement({ AWS: 'arn:aws:iam::345678901234:root' }, { Action: 'kms:GenerateData*' }));
  assert.deepEqual(losing(before, policy(before.Statement[0]), [role, other]), [other]);
  // What they did not do they do not miss; the account stands for those in it.
  assert.deepEqual(losing(before, policy(statement({ AWS: API }, { Action: 'kms:Decrypt' }), statement({ AWS: '345678901234' })), [role, other]), []);
  assert.deepEqual(losing(before, policy(...before.Statement, statement('*', { Effect: 'Deny' })), [role, other]), [role, other]);
  assert.deepEqual(losing(before, policy(...before.Statement, statement('*', { Effect: 'Deny', Condition: { Bool: {} } })), [role, other]), []);
  assert.deepEqual(losing(policy(), policy(), [role]), []);
});

test('a lockout is told by what AWS refuses, and by the account; what is not known is not called none', () => {
  const checked = (lockout, problems = []) => ({ problems, lockout: { caller: API, caller_decision: 'allowed', account_decision: 'allowed', refused_by_aws: false, ...lockout } });
  assert.equal(lockoutOf(checked({})), 'none');
  assert.equal(lockoutOf(checked({ refused_by_aws: true, caller_decision: 'not_allowed', account_decision: 'not_allowed' })), 'refused');
  assert.equal(lockoutOf(checked({ account_decision: 'not_allowed' })), 'account');
  assert.equal(lockoutOf(checked({ caller: null, caller_decision: 'unknown' })), 'unknown');
  assert.equal(lockoutOf(checked({}, [{ message: 'no statement' }])), 'unknown');
  assert.equal(lockoutOf(null), 'unknown');
});
