import { test } from 'node:test';
import assert from 'node:assert/strict';
import { feedRows, unnamed } from '../../../web/app/lib/feed.js';

const at = (minutes) => new Date(Date.UTC(2026, 10, 30, 12, -minutes)).toISOString();
const disabled = (id, minutes) => ({ id: `r${id}`, createdAt: at(minutes), event: 'OperationRequested', details: { wanted: 'Disable' }, username: 'key-admin', user_id: 'local|1', resource: `key/${id}`, resource_name: null });

test('one act on several keys is one row, which leads to all of them', () => {
  const alarms = [1, 2].map((number) => ({ id: `a${number}`, createdAt: at(number), event: 'Raised', username: 'claviger', user_id: null, resource: `alarm/${number}`, resource_name: null }));
  const rows = feedRows([disabled('k1', 0), alarms[0], disabled('k2', 1), alarms[1], disabled('k2', 2), disabled('k3', 40)], [], 9);
  assert.deepEqual(rows.map((row) => [row.who, row.verb, row.name]), [['key-admin', 'disabled', '2 keys'], ['claviger', 'raised', '2 alarms'], ['key-admin', 'disabled', 'k3']]);
  assert.match(rows[0].href, /^\/audit\/records\?username=key-admin&resource=key&createdAfter=2026-11-30T11%3A45%3A00Z/);
  assert.equal(rows[1].href, '/alarms');
  assert.equal(rows[2].href, '/cckm/aws/keys/k3');
  assert.equal(feedRows([disabled('k1', 0), disabled('k9', 30)], [], 1).length, 1);
});

test('what others did in AWS is in its place, in words', () => {
  const rows = feedRows([disabled('k1', 0), disabled('k2', 90)], [{ id: '7', event_time: at(30), event_name: 'PutKeyPolicy', key_id: '0b90f8de-8617-498d-ad63-ca18eb717ae7' }, { id: '8', event_time: at(31), event_name: 'CreateCustomKeyStore', key_id: null, kms: 'payments', region: 'eu-west-3' }], 9);
  assert.deepEqual(rows.map((row) => [row.outside, row.verb, row.name]), [[false, 'disabled', 'k1'], [true, 'set the policy of', '0b90f8de'], [true, 'CreateCustomKeyStore', 'payments, eu-west-3'], [false, 'disabled', 'k2']]);
});

test('the names of keys are asked for where a row has none', () => {
  const id = '0b90f8de-8617-498d-ad63-ca18eb717ae7';
  const rows = feedRows([disabled(id, 0), { ...disabled('x', 50), resource: 'kms/0b90f8de-1', resource_name: 'payments', event: 'Archived' }], [], 9);
  assert.deepEqual(unnamed(rows), [id]);
  assert.deepEqual(rows.map((row) => row.name), ['0b90f8de', 'payments']);
});

test('rights say what was given and to whom', () => {
  const [row] = feedRows([{ id: 'r', createdAt: at(0), event: 'AclsChanged', username: 'admin', user_id: 'local|1', resource: 'kms/1', resource_name: 'payments', details: { changes: [{ permit: true, principal: { Group: 'payments-keyops' }, actions: ['keyrotate'] }] } }], [], 9);
  assert.equal(row.verb, 'gave keyrotate to payments-keyops on');
});

test('a bulk job, of which each key has a record, is one row', () => {
  const of = (id, minutes) => ({ id: `j${minutes}`, createdAt: at(minutes), event: 'Bulk', username: 'admin', user_id: 'local|1', resource: `job/${id}`, resource_name: null });
  const names = (records) => feedRows(records, [], 9).map((row) => [row.verb, row.name]);
  assert.deepEqual(names([of('0b90f8de-8617', 0), of('0b90f8de-8617', 1)]), [['ran', 'a bulk job']]);
  assert.deepEqual(names([of('0b90f8de-8617', 0), of('1b90f8de-8617', 1)]), [['ran', '2 bulk jobs']]);
});

test('what is deleted has the name that another record says, else its kind', () => {
  const of = (resource, event, details, minutes) => ({ id: `${resource}${event}`, createdAt: at(minutes), event, details, username: 'admin', user_id: 'local|1', resource, resource_name: null });
  const rows = feedRows([of('schedule/0b90f8de-8617', 'Deleted', {}, 0), of('schedule/0b90f8de-8617', 'Created', { name: 'weekly' }, 40), of('template/1b90f8de-8617', 'Deleted', {}, 80)], [], 9);
  assert.deepEqual(rows.map((row) => row.name), ['weekly', 'weekly', 'a template']);
});
