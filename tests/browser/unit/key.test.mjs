import { test } from 'node:test';
import assert from 'node:assert/strict';
import { rotatedBy } from '../../../web/app/lib/key.js';

test('nothing rotates a key only where the posture finds so', () => {
  const by = (members, aws = {}) => rotatedBy({ rotated_by: 'none', ...members, aws_param: { KeyManager: 'CUSTOMER', KeyState: 'Enabled', ...aws } });
  assert.equal(by({}), 'nothing');
  assert.equal(by({}, { KeyState: 'Disabled' }), 'nothing');
  assert.equal(by({ rotated_by: 'aws' }), 'aws');
  assert.equal(by({ rotated_by: 'schedule' }, { KeyState: 'Disabled' }), 'schedule');
  assert.equal(by({}, { KeyManager: 'AWS' }), 'theirs');
  assert.equal(by({}, { KeyState: 'PendingDeletion' }), 'ending');
  assert.equal(by({ gone: true }), 'ending');
  assert.equal(by({}, { MultiRegionConfiguration: { MultiRegionKeyType: 'REPLICA' } }), 'replica');
  assert.equal(by({}, { MultiRegionConfiguration: { MultiRegionKeyType: 'PRIMARY' } }), 'nothing');
  assert.equal(by({ rotated_to: 'another-key' }), 'replaced');
  assert.equal(by({ linked_state: false }), 'unlinked');
});
