import { test } from 'node:test';
import assert from 'node:assert/strict';
import { day, exact, feedTime, parse, relative, span, DAY, HOUR } from '../../../web/app/lib/time.js';

const NOW = Date.parse('2026-11-28T14:29:33Z');

test('spans are in their largest unit', () => {
  assert.equal(span(41 * DAY), '41 d');
  assert.equal(span(130 * DAY), '4 mo');
  assert.equal(span(900 * DAY), '2.5 y');
  assert.equal(span(3 * HOUR), '3 h');
  assert.equal(span(-5), '0 s');
});

test('times are relative to now, in both directions', () => {
  assert.equal(relative(NOW - 4 * 60_000, NOW), '4 min ago');
  assert.equal(relative(Date.parse('2026-10-02T03:00:00Z'), NOW), '2 Oct, 57 d ago');
  assert.equal(relative(NOW + 3 * HOUR, NOW), 'in 3 h');
  assert.equal(relative(Date.parse('2027-01-02T15:00:00Z'), NOW), '2 Jan 27, in 35 d');
  assert.equal(relative(NOW - 3000, NOW), 'just now');
});

test('a feed has the hour today and the weekday within a week', () => {
  assert.equal(feedTime(Date.parse('2026-11-28T12:07:41Z'), NOW), '12:07');
  assert.equal(feedTime(Date.parse('2026-11-27T18:42:00Z'), NOW), 'Fri 18:42');
  assert.equal(feedTime(Date.parse('2026-10-02T18:42:00Z'), NOW), '2 Oct');
  assert.equal(day(Date.parse('2028-01-02T00:00:00Z'), NOW), '2 Jan 28');
});

test('the exact time keeps all digits that the API gave', () => {
  assert.equal(exact('2026-11-28T12:07:41.204816123Z'), '28 Nov 2026, 12:07:41.204816123 UTC');
  assert.equal(exact('no time'), 'no time');
  assert.equal(parse(''), null);
  assert.equal(parse(undefined), null);
});
