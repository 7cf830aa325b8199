import { test } from 'node:test';
import assert from 'node:assert/strict';
import { yearOf } from '../../../web/app/lib/year.js';

const NOW = Date.UTC(2026, 10, 30);
const schedule = (name, keys, runs, complete = true) => ({ job_config_id: `id-${name}`, name, active: true, keys, runs, runs_complete: complete });

test('schedules with keys are rows in the order of their first runs, with dots by their keys', () => {
  const { rows, keys } = yearOf([schedule('late', 100, ['2027-05-31T12:00:00Z']), schedule('soon', 25, ['2026-12-01T00:00:00Z', '2027-11-30T00:00:00Z']), schedule('empty', 0, ['2026-12-01T00:00:00Z']), schedule('after-the-year', 7, []), { ...schedule('off', 3, []), active: false }], NOW);
  assert.deepEqual(rows.map((row) => [row.name, row.size]), [['soon', 0.5], ['late', 1]]);
  assert.deepEqual(rows[0].dots.map((dot) => dot.share), [1 / 365, 1]);
  assert.equal(rows[1].dots[0].share, 0.5);
  assert.equal(keys, 125);
});

test('what runs too often to be drawn is named', () => {
  const { rows, often } = yearOf([schedule('daily', 2, ['2026-12-01T00:00:00Z'], false)], NOW);
  assert.deepEqual([rows, often], [[], ['daily']]);
});

test('the months are at their first days', () => {
  const { months } = yearOf([], NOW);
  assert.deepEqual([months.length, months[0].label, months[11].label], [12, 'Dec', 'Nov']);
  assert.equal(months[0].share, 1 / 365);
});
