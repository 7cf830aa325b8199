import { test } from 'node:test';
import assert from 'node:assert/strict';
import { runCounts, scheduleBody, scheduleValues } from '../../../web/app/lib/schedule.js';

const ROTATION = { name: 'a', operation: 'cckm_key_rotation', description: 'old', run_at: '0 3 * * *', end_date: '2031-05-06T07:08:09Z', disabled: false, job_config_params: { cloud_name: 'aws', rotation_after: '80d', aws_param: { rotate_material: true, retain_alias: false } } };
const TWO = { name: 'b', operation: 'cckm_synchronization', description: '', run_at: '0 3 * * *', disabled: false, job_config_params: { cloud_name: 'aws', kms: ['2', '1'] } };

test('a form that nothing is changed in sends nothing', () => {
  for (const present of [ROTATION, TWO, { ...TWO, job_config_params: { synchronize_all: true } }, { ...TWO, operation: 'database_backup', job_config_params: { description: 'x', retentionCount: 3, backupKey: '' } }]) assert.deepEqual(scheduleBody(scheduleValues(present), present), {});
});

test('a change sends what differs; what is emptied is cleared', () => {
  assert.deepEqual(scheduleBody({ ...scheduleValues(ROTATION), rotation_after: '', retain_alias: true }, ROTATION), { cckm_key_rotation_params: { rotation_after: '', aws_param: { retain_alias: true } } });
  assert.deepEqual(scheduleBody({ ...scheduleValues(ROTATION), end_date: '', start_date: '2030-01-02T03:04' }, ROTATION), { end_date: '', start_date: '2030-01-02T03:04:00Z' });
  assert.deepEqual(scheduleBody({ ...scheduleValues(TWO), description: 'new' }, TWO), { description: 'new' });
  assert.deepEqual(scheduleBody({ ...scheduleValues(TWO), synchronize_all: true }, TWO), { cckm_synchronization_params: { synchronize_all: true } });
  assert.deepEqual(scheduleBody({ ...scheduleValues(TWO), kms: ['1'] }, TWO), { cckm_synchronization_params: { kms: ['1'] } });
});

test('a new schedule leaves out what is empty', () => {
  assert.deepEqual(scheduleBody({ ...scheduleValues(), name: 'c', run_at: '0 3 * * *', rotation_after: '80d' }), { name: 'c', operation: 'cckm_key_rotation', run_at: '0 3 * * *', disabled: false, cckm_key_rotation_params: { cloud_name: 'aws', rotation_after: '80d', aws_param: { rotate_material: true, retain_alias: false } } });
  assert.deepEqual(scheduleBody({ ...scheduleValues(), operation: 'cckm_synchronization' }).cckm_synchronization_params, { cloud_name: 'aws', synchronize_all: true });
});

test('a run has the result of each, the last run of a schedule the numbers', () => {
  assert.deepEqual(runCounts({ results: [{ status: 'Success' }, { status: 'DisabledException' }, { status: 'Success' }] }), { succeeded: 2, failed: 1 });
  assert.deepEqual(runCounts({ results: [] }), { succeeded: 0, failed: 0 });
  assert.deepEqual(runCounts({ succeeded: 3, failed: 1 }), { succeeded: 3, failed: 1 });
});
