import { test } from 'node:test';
import assert from 'node:assert/strict';
import { aliasParts, csvCell, initials, number, plural, sentence, shortArn, spaced, withoutSecrets } from '../../../web/app/lib/text.js';
import { match, members, queryString, apiQuery } from '../../../web/app/lib/query.js';
import { changedParts, diffLines } from '../../../web/app/lib/diff.js';
import { keyAge, keyName, keyOrigin, keyState } from '../../../web/app/lib/key.js';
import { nameOf, verb, addressOf } from '../../../web/app/lib/record.js';

test('numbers and counts', () => {
  assert.equal(number(48213), '48\u2009213');
  assert.equal(plural(1, 'key'), '1 key');
  assert.equal(plural(2, 'KMS', 'KMSs'), '2 KMSs');
});

test('ARNs lose their middle, names of people become two letters', () => {
  assert.equal(shortArn('arn:aws:kms:eu-west-3:123456789012:key/e007d09b-ad92-45b9-ac59-21b02d4d7ca9'), 'arn:aws:kms:eu-west-3:…/e007d09b');
  assert.equal(shortArn('no arn'), 'no arn');
  assert.equal(initials('key-admin'), 'KA');
  assert.equal(initials('admin'), 'AD');
  assert.equal(initials('🗝'), '?');
  assert.deepEqual(aliasParts('alias/a'), ['alias/', 'a']);
});

test('a cell of CSV is quoted, and runs in no spreadsheet', () => {
  assert.equal(csvCell('a,"b"'), '"a,""b"""');
  assert.equal(csvCell('=1+1'), "'=1+1");
  assert.equal(csvCell(-1), '-1');
  assert.equal(csvCell(null), '');
});

test('names of the API become words', () => {
  assert.equal(spaced('OperationRequested'), 'operation requested');
  assert.equal(spaced('material_since_before'), 'material since before');
});

test('secrets are not in a body that is shown, at whatever depth', () => {
  assert.deepEqual(withoutSecrets({ name: 'a', password: 'b', deep: { private_key: 'c', list: [1] }, none: null }, ['password', 'private_key']), { name: 'a', password: '…', deep: { private_key: '…', list: [1] }, none: null });
});

test('queries keep repeated members, and the console keeps its own', () => {
  assert.deepEqual(members('?a=1&b=2&a=3'), { a: ['1', '3'], b: '2' });
  assert.equal(queryString({ a: ['1', '3'], b: '', c: null, d: 'x y' }), '?a=1&a=3&d=x+y');
  assert.deepEqual(apiQuery({ kms: 'p', tab: 'policy', open: '1' }), { kms: 'p' });
});

test('paths match patterns, and a broken escape matches nothing', () => {
  assert.deepEqual(match('/cckm/aws/keys/{id}', '/cckm/aws/keys/a%20b'), { id: 'a b' });
  assert.equal(match('/cckm/aws/keys/{id}', '/cckm/aws/keys'), null);
  assert.equal(match('/cckm/aws/keys/{id}', '/cckm/aws/keys/%E0%A4%A'), null);
  assert.deepEqual(match('/', '/'), {});
});

test('a difference has same, changed, added and removed lines', () => {
  const kinds = diffLines('a\nb\nc', 'a\nB\nc\nd').map((row) => row.kind);
  assert.deepEqual(kinds, ['same', 'changed', 'same', 'added']);
  assert.deepEqual(diffLines('x', 'x').map((row) => row.kind), ['same']);
  assert.deepEqual(changedParts('role/a-old', 'role/a-new'), [['role/a-', 'old', ''], ['role/a-', 'new', '']]);
});

test('keys have a name, an origin, an age and a state', () => {
  const now = Date.parse('2026-11-28T00:00:00Z');
  const key = { id: 'i', gone: false, material_since: '2026-10-02T00:00:00Z', aws_param: { Alias: ['alias/cards'], Origin: 'EXTERNAL', KeyState: 'Enabled' } };
  assert.equal(keyName(key), 'alias/cards');
  assert.equal(keyOrigin(key), 'byok');
  assert.equal(Math.floor(keyAge(key, now).days), 57);
  assert.equal(keyState({ ...key, gone: true }), 'Gone');
});

test('records are said in words', () => {
  const record = { event: 'OperationRequested', resource: 'key/72bf109b-c61a-44a4-890e-7c888b1c6a96', details: { wanted: { Upload: { new: { aliases: ['alias/cards'] } } } } };
  assert.equal(verb(record), 'uploaded');
  assert.equal(nameOf(record), 'alias/cards');
  assert.equal(addressOf(record), '/cckm/aws/keys/72bf109b-c61a-44a4-890e-7c888b1c6a96');
  assert.equal(verb({ event: 'SomethingNew', resource: 'thing/1' }), 'something new');
});

test('a message of the API is a sentence', () => {
  assert.equal(sentence('this user may not sign in'), 'This user may not sign in.');
  assert.equal(sentence('days: `6` is out of range'), 'days: `6` is out of range.');
  assert.equal(sentence('The server answered 502.'), 'The server answered 502.');
  assert.equal(sentence('AWS says: Access denied!'), 'AWS says: Access denied!');
});
