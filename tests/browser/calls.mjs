// Looks whether each path that the console calls is in the description of the API: calls.mjs OPENAPI.
import { readdir, readFile } from 'node:fs/promises';

const description = JSON.parse(await readFile(process.argv[2], 'utf8'));
const known = Object.keys(description.paths).map((path) => path.replace(/^\/api\/v1/, '').replace(/^\/v1/, ''));
const escaped = (text) => text.replace(/[.*+?^$()|[\]\\]/g, '\\$&');
const patterns = known.map((path) => new RegExp(`^${escaped(path).replace(/\{[^}]+\}/g, '[^/]+')}$`));
const examples = known.map((path) => path.replace(/\{[^}]+\}/g, 'x'));
const app = new URL('../../web/app/', import.meta.url);
let wrong = 0;
let looked = 0;
for (const file of await readdir(app, { recursive: true })) {
  if (!file.endsWith('.js')) continue;
  const text = await readFile(new URL(file, app), 'utf8');
  // Only whole paths are looked at; those that begin with a variable are of the same resource.
  for (const [, path] of text.matchAll(/(?:api\.\w+|useGet|shared|download)\(\s*['`](\/[^'`]*)['`]/g)) {
    looked += 1;
    const plain = path.replace(/\$\{[^}]*\}/g, 'x');
    // A part that a variable chooses fits any path with such a part.
    const chosen = new RegExp(`^${path.split(/\$\{[^}]*\}/).map(escaped).join('[^/]+')}$`);
    if (!patterns.some((pattern) => pattern.test(plain)) && !examples.some((example) => chosen.test(example))) {
      wrong += 1;
      console.log(`${file}: the API has no ${path}`);
    }
  }
}
console.log(`${looked} calls looked up`);
if (wrong > 0) process.exit(1);
