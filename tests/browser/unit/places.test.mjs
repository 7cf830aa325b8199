import { test } from 'node:test';
import assert from 'node:assert/strict';
import { PLACES } from '../../../web/app/lib/places.js';
import { addressOf } from '../../../web/app/lib/record.js';
import { find } from '../../../web/app/pages.js';

test('where a record leads there is a page', () => {
  for (const kind of Object.keys(PLACES)) {
    const address = addressOf({ resource: `${kind}/an id` });
    const { page, members } = find(address, {});
    assert.notEqual(page.name, 'not-found', address);
    assert.equal(Object.values(members)[0], kind === 'user' ? 'local|an id' : 'an id');
  }
  assert.equal(addressOf({ resource: 'session/1' }), null);
});

test('every list has a page, and `new` leads to a form where there is one', () => {
  for (const list of Object.values(PLACES)) assert.notEqual(find(list, {}).page.name, 'not-found', list);
  assert.equal(find('/cckm/aws/kms', { new: '1' }).page.name, 'kms-add');
  assert.equal(find('/nothing/here', {}).page.name, 'not-found');
});
