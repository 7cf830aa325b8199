// What disturbs nobody is not red: a question whose act makes, saves or describes something has the neutral tone.
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { test } from 'node:test';

const PAGES = new URL('../../../web/app/pages/', import.meta.url);
const HARMLESS = /act: (?:present \? )?'(?:Make|Save the (?:description|profile|group|source key|receiver|webhook)|Add|Put (?:it|them) under|Have AWS|Import|Synchronise|Bring|Run it)\b[^,]*(?:, )(?<next>[^,]*)/g;

test('acts that disturb nobody have the neutral tone', async () => {
  const red = [];
  let seen = 0;
  for (const folder of await readdir(PAGES, { withFileTypes: true })) {
    if (!folder.isDirectory()) continue;
    for (const file of await readdir(new URL(`${folder.name}/`, PAGES))) {
      const text = await readFile(new URL(`${folder.name}/${file}`, PAGES), 'utf8');
      for (const found of text.matchAll(HARMLESS)) {
        seen += 1;
        if (!found.groups.next.startsWith("tone: ")) red.push(`${folder.name}/${file}: ${found[0]}`);
      }
    }
  }
  assert.deepEqual(red, []);
  assert.ok(seen > 20, `${seen} acts were found`);
});
