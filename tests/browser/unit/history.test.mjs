import { test } from 'node:test';
import assert from 'node:assert/strict';
import { detailOf } from '../../../web/app/lib/record.js';

const words = (resource, event, details = {}) => detailOf({ resource: `${resource}/1`, event, details });

test('what is done to an object is said of it', () => {
  assert.equal(words('key', 'OperationRequested', { wanted: 'Disable' }), 'disabled it');
  assert.equal(words('key', 'OperationRequested', { wanted: { ImportMaterial: {} } }), 'imported material');
  assert.equal(words('key', 'HyokLinked'), 'linked it to AWS');
  assert.equal(words('key-store', 'Vanished'), 'found it gone from AWS');
  assert.equal(words('kms', 'ConnectionReplaced'), 'changed its connection');
  assert.equal(words('key-store', 'CredentialAdded'), 'added a credential');
  assert.equal(words('source-key', 'MadeUnexportable'), 'made it unexportable');
});

test('a person is no thing', () => {
  assert.equal(words('user', 'ProfileChanged'), 'changed the profile');
  assert.equal(words('user', 'PasswordChangeRequired'), 'asked for a new password');
});

test('regions and rights are named', () => {
  assert.equal(words('kms', 'RegionsReplaced', { to: ['eu-west-1', 'eu-west-3'] }), 'set the regions eu-west-1, eu-west-3');
  assert.equal(words('kms', 'AclsChanged', { changes: [{ permit: true, principal: { Group: 'payments' }, actions: ['keyrotate'] }] }), 'gave keyrotate to payments');
});
