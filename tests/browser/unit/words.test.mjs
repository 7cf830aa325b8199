import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { EVENTS, OPERATIONS } from '../../../web/app/lib/words.js';

// The golden records have every event and every operation of the log.
const golden = new URL('../../golden/', import.meta.url);
const records = readdirSync(golden).filter((name) => name.endsWith('.jsonl')).flatMap((name) => readFileSync(new URL(name, golden), 'utf8').trim().split('\n').map((line) => JSON.parse(line)));

/** The name and the members of `"Name"` or `{"Name": {members}}`. */
const named = (one) => (typeof one === 'string' ? [one, {}] : Object.entries(one)[0]);

/** The kind, the name and the members of an event: `{"Kms": [id, {"Name": {members}}]}`, or without the id. */
function partsOf(record) {
  const [inner] = Object.values(record.event);
  return [record.stream.split('/')[0], ...named(Array.isArray(inner) ? inner[1] : inner)];
}

test('every event has words', () => {
  const without = new Set();
  for (const [kind, name, members] of records.map(partsOf)) {
    if (name === 'OperationRequested') {
      const [operation] = named(members.wanted);
      if (!OPERATIONS[kind]?.[operation]) without.add(`${kind}: ${operation}`);
    } else {
      const whole = kind === 'job' ? `${name}.${named(members)[0]}` : name;
      if (!EVENTS[kind]?.[whole] && !EVENTS.any[whole]) without.add(`${kind}.${whole}`);
    }
  }
  assert.deepEqual([...without], []);
});

test('no words are for what the log does not have', () => {
  const parts = records.map(partsOf);
  const known = new Set(parts.flatMap(([kind, name, members]) => [`${kind}.${name}`, ...(kind === 'job' ? [`job.${name}.${named(members)[0]}`] : []), ...(name === 'OperationRequested' ? [`${kind}:${named(members.wanted)[0]}`] : [])]));
  const { any, ...kinds } = EVENTS;
  const dead = [...Object.entries(kinds).flatMap(([kind, words]) => Object.keys(words).map((name) => `${kind}.${name}`)), ...Object.entries(OPERATIONS).flatMap(([kind, words]) => Object.keys(words).map((name) => `${kind}:${name}`))].filter((one) => !known.has(one));
  assert.deepEqual(dead, []);
});
