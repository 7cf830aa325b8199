import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';

const web = new URL('../../../web/', import.meta.url);
const text = async (file) => readFile(new URL(file, web), 'utf8');

test('each icon is used, and each that is used is there', async () => {
  const icons = (await text('icons.txt')).split('\n').filter((name) => name !== '');
  const drawn = [...(await text('icons.svg')).matchAll(/<symbol id="([^"]+)"/g)].map(([, name]) => name);
  assert.deepEqual(drawn, icons);
  const files = (await readdir(new URL('app/', web), { recursive: true })).filter((file) => file.endsWith('.js'));
  const code = (await Promise.all(files.map((file) => text(`app/${file}`)))).join('\n');
  const unused = icons.filter((name) => !code.includes(`'${name}'`) && !code.includes(`"${name}"`));
  assert.deepEqual(unused, []);
  const named = [...code.matchAll(/<\$\{Icon\} name="([^"]+)"|\bicon(?:=|: )["']([^"']+)["']/g)].map(([, a, b]) => a ?? b);
  assert.deepEqual([...new Set(named)].filter((name) => !icons.includes(name)), []);
});
