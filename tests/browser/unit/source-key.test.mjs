import { test } from 'node:test';
import assert from 'node:assert/strict';
import { canBeHeld, canWrap, changesOf, compromises, editable, exportBody, isArchived, isAsymmetric, labelsOf } from '../../../web/app/lib/source-key.js';

const AES = { id: 'A', algorithm: 'AES', size: 256, state: 'Active', unexportable: true, undeletable: true };

test('what a source key can be', () => {
  assert.equal(isArchived({ archiveDate: '2026-01-01T00:00:00Z' }, Date.parse('2026-01-02')), true);
  assert.equal(isArchived({ archiveDate: '2026-01-03T00:00:00Z' }, Date.parse('2026-01-02')), false);
  assert.equal(isArchived({}, Date.parse('2026-01-02')), false);
  assert.ok(canBeHeld(AES) && !canBeHeld({ ...AES, undeletable: false }) && !canBeHeld({ ...AES, size: 128 }));
  assert.ok(canWrap(AES) && canWrap({ ...AES, size: 128 }) && !canWrap({ ...AES, size: 192 }) && !canWrap({ ...AES, state: 'Deactivated' }) && canWrap({ algorithm: 'RSA', size: 2048, state: 'Active' }) && !canWrap({ algorithm: 'EC', state: 'Active' }));
  assert.ok(isAsymmetric({ algorithm: 'EC' }) && !isAsymmetric(AES));
  assert.ok(compromises('CACompromise') && !compromises('Superseded'));
});

test('an export in the clear has no wrapping, and a wrapped one always has a key', () => {
  assert.deepEqual(exportBody(AES, { how: 'clear' }), {});
  assert.deepEqual(exportBody(AES, { how: 'clear', format: 'base64' }), { format: 'base64' });
  assert.deepEqual(exportBody(AES, { how: 'source', wrapper: { id: 'W', algorithm: 'AES' } }), { wrapKeyName: 'W', wrapKeyIDType: 'id', padded: true });
  assert.deepEqual(exportBody(AES, { how: 'source', wrapper: { id: 'W', algorithm: 'RSA' } }), { wrapKeyName: 'W', wrapKeyIDType: 'id', wrappingEncryptionAlgo: 'RSA/RSAAESKEYWRAPPADDING', wrapRSAAES: { padding: 'oaep256' } });
  assert.deepEqual(exportBody(AES, { how: 'public', publicKey: ' PEM\n', method: 'rsa', padding: 'oaep' }), { wrapPublicKey: 'PEM', wrapPublicKeyPadding: 'oaep' });
  // Private keys are too long for RSA alone. A key that is missing is refused by the server: nothing leaves in the clear instead.
  assert.deepEqual(exportBody({ algorithm: 'EC' }, { how: 'public', publicKey: 'PEM', method: 'rsa' }), { wrapPublicKey: 'PEM', wrappingEncryptionAlgo: 'RSA/RSAAESKEYWRAPPADDING', wrapRSAAES: { padding: 'oaep256' } });
  for (const how of ['source', 'public']) assert.ok(Object.keys(exportBody(AES, { how })).length > 1);
});

test('a change names what is another alone', () => {
  const key = { description: 'a', labels: { team: 'x', old: '1' }, aliases: [{ alias: 'one', index: 0 }, { alias: 'two', index: 1 }], undeletable: false, deactivationDate: '2027-01-01T10:00:00Z' };
  const values = editable(key);
  assert.deepEqual(changesOf(key, values), {});
  assert.deepEqual(changesOf(key, { ...values, description: '', undeletable: true, labels: 'team=y, new', aliases: 'two, three', protectStopDate: '2026-12-31' }), {
    description: '', undeletable: true, protectStopDate: '2026-12-31T00:00:00Z', labels: { old: null, team: 'y', new: '' }, aliases: [{ index: 0 }, { alias: 'three' }],
  });
  assert.deepEqual(labelsOf('a=b=c, ,d'), { a: 'b=c', d: '' });
});
