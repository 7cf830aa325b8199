import { test } from 'node:test';
import assert from 'node:assert/strict';
import { apiQuery, listQuery, match, members, queryString } from '../../../web/app/lib/query.js';

test('the members of the console are not sent, and a list gets no time of the past', () => {
  const all = { tab: 'keys', open: 'x', at: '2026-11-28T14:29:33Z', kms: 'payments', sort: '-alias' };
  assert.deepEqual(apiQuery(all), { at: '2026-11-28T14:29:33Z', kms: 'payments', sort: '-alias' });
  assert.deepEqual(listQuery(all), { kms: 'payments', sort: '-alias' });
});

test('a query is read as it was written', () => {
  assert.equal(queryString({ a: '', b: null, c: undefined }), '');
  const given = { keystate: ['Enabled', 'Disabled'], search: 'a b&c' };
  assert.deepEqual(members(queryString(given)), given);
});

test('a pattern of a path gives its members', () => {
  assert.deepEqual(match('/cckm/aws/keys/{id}', '/cckm/aws/keys/a%2Fb'), { id: 'a/b' });
  assert.equal(match('/cckm/aws/keys/{id}', '/cckm/aws/keys/'), null);
  assert.equal(match('/cckm/aws/keys/{id}', '/cckm/aws/keys/%'), null);
});
