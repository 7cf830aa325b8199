import { test } from 'node:test';
import assert from 'node:assert/strict';
import { actionGroups, asUpdate, difference, given, open } from '../../../web/app/lib/acl.js';
import { isOutside, meant, recordId, said, whoOf, whoOrWhat } from '../../../web/app/lib/audit.js';
import { placeOf, timeAt } from '../../../web/app/lib/track.js';
import { DAY } from '../../../web/app/lib/time.js';

const APIS = [
  { actions: ['viewnative'], description: 'view a KMS and its native keys' }, { actions: ['viewnative', 'viewbyok'], description: 'get an AWS key by its id' }, { actions: ['view'], description: 'get an AWS key' },
  { actions: ['keyupdate'], description: "change a key's policy" }, { actions: ['keyupdate'], description: 'enable a key' }, { actions: ['keyupdate'], description: 'add tags to a key' },
  { actions: ['keyupload'], description: 'upload a key to AWS KMS' }, { actions: ['keystoreblock'], description: 'block operations' }, { actions: ['newthing'], description: 'do something new' },
];

test('actions are in groups, with the words of the API; an unknown one is not lost', () => {
  const groups = actionGroups(APIS, [{ group: 'a', actions: ['unheardof'] }]);
  assert.deepEqual(groups.map((group) => group.title), ['View', 'Keys', 'Material', 'Key stores', 'Other']);
  assert.deepEqual(groups[0].actions.map((action) => action.id), ['viewnative', 'viewbyok']);
  assert.equal(groups[0].actions[0].says, 'view a KMS and its native keys');
  assert.equal(groups[1].actions[0].says, 'change policy, enable, add tags');
  assert.deepEqual(groups[4].actions.map((action) => action.id).sort(), ['newthing', 'unheardof']);
});

test('`view` stands for two actions', () => {
  assert.deepEqual([...given([{ group: 'a', actions: ['view'] }]).get('g:a') ?? []], ['view', 'viewnative', 'viewbyok']);
});

test('wishes that are so already fall away, the others are one entry for each direction', () => {
  const now = given([{ group: 'two words', actions: ['keyrotate'] }]);
  const left = open(now, { 'g:two words keyrotate': true, 'g:two words keydelete': true, 'u:local|1 keyrotate': false, 'u:local|1 keyupdate': true });
  assert.deepEqual(left, { 'g:two words keydelete': true, 'u:local|1 keyupdate': true });
  assert.deepEqual(asUpdate({ ...left, 'g:two words keyrotate': false }), [
    { group: 'two words', actions: ['keydelete'], permit: true }, { user_id: 'local|1', actions: ['keyupdate'], permit: true }, { group: 'two words', actions: ['keyrotate'], permit: false },
  ]);
});

test('two lists of entries differ by what came and went', () => {
  assert.deepEqual(difference([{ group: 'a', actions: ['x', 'y'] }, { group: 'b', actions: ['z'] }], [{ group: 'a', actions: ['y', 'w'] }, { group: 'b', actions: ['z'] }]), [{ key: 'g:a', gains: ['w'], loses: ['x'] }]);
});

test('what is typed over the log is understood', () => {
  assert.deepEqual(meant(' #48 171 '), { open: '48171' });
  assert.deepEqual(meant('attempt-4'), { open: 'attempt-4' });
  assert.deepEqual(meant('5BD9B350-1111-4222-8333-444455556666'), { requestId: '5bd9b350-1111-4222-8333-444455556666' });
  assert.deepEqual(meant('10.20.4.17'), { clientIP: '10.20.4.17' });
  assert.deepEqual(meant('fe80::1'), { clientIP: 'fe80::1' });
  assert.deepEqual(meant('kms/abc'), { resource: 'kms/abc' });
  assert.deepEqual(meant('key-admin'), { username: 'key-admin' });
  assert.deepEqual(meant('   '), {});
});

test('records and failed attempts in words', () => {
  assert.equal(recordId({ number: 5, id: 'x' }), '5');
  assert.equal(recordId({ number: null, id: 'attempt-4' }), 'attempt-4');
  const refused = said({ number: null, event: 'AccessDenied', success: false, resource: 'kms', details: { method: 'DELETE', path: '/api/v1/cckm/aws/kms/1', reason: 'membership_missing', times: 3 } });
  assert.deepEqual(refused, { verb: 'was denied', name: 'DELETE /cckm/aws/kms/1', more: 'membership_missing, 3 times', refused: true });
  const acls = said({ number: 7, event: 'AclsChanged', success: true, resource: 'kms/1', resource_name: 'payments', details: { changes: [{ actions: ['keyrotate'], permit: true, principal: { Group: 'payments-keyops' } }] } });
  assert.equal(`${acls.verb} ${acls.name}`, 'gave keyrotate to payments-keyops on payments');
  assert.equal(isOutside({ event: 'Vanished' }), true);
  assert.equal(isOutside({ event: 'Created', resource: 'kms/1' }), false);
});

test('the last week takes a quarter of the track; a short life is linear', () => {
  const end = Date.UTC(2026, 10, 30);
  const begin = end - 365 * DAY;
  assert.equal(placeOf(begin, begin, end), 0);
  assert.equal(placeOf(end, begin, end), 1);
  assert.equal(placeOf(end - 7 * DAY, begin, end), 0.75);
  for (const place of [0, 0.1, 0.75, 0.9, 1]) assert.ok(Math.abs(placeOf(timeAt(place, begin, end), begin, end) - place) < 1e-9);
  assert.equal(placeOf(end - DAY, end - 2 * DAY, end), 0.5);
});

test('a wrong password is shown at the user whose it is', () => {
  const record = { number: 9, event: 'LoginFailed', success: false, username: null, resource: 'user/1', resource_name: 'm.lindqvist', clientIP: '10.20.9.88', details: {} };
  assert.equal(whoOf(record), 'm.lindqvist');
  assert.deepEqual(said(record), { verb: 'typed a wrong password', name: '', more: 'from 10.20.9.88', refused: true });
});

test('a text that may be who or what is the objects of that name, unless a user has it', () => {
  const hit = (kind, id, name) => ({ kind, id, name });
  assert.deepEqual(meant('alias/cards'), { username: 'alias/cards' });
  assert.deepEqual(whoOrWhat(' alias/cards ', [hit('key', 'a1', 'cards'), hit('key', 'b2', 'cards'), hit('key', 'c3', 'cards-old')]), { resource: ['key/a1', 'key/b2'] });
  assert.deepEqual(whoOrWhat('cards', [hit('source_key', 's1', 'cards'), hit('custom_key_store', 'k1', 'cards'), hit('policy_template', 't1', 'cards'), hit('group', 'cards', 'cards')]), { resource: ['source-key/s1', 'key-store/k1', 'template/t1', 'group/cards'] });
  assert.deepEqual(whoOrWhat('cards', [hit('key', 'a1', 'cards'), hit('user', 'local|1', 'cards')]), { username: 'cards' });
  assert.deepEqual(whoOrWhat('nobody', [hit('key', 'a1', 'nobody-knows')]), { username: 'nobody' });
});
