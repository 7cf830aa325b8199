// Runs the stories in order, then photographs each page and has axe look at it: run.mjs URL [PART OF A NAME...]. With LOOKS=all the
// pages are looked at in every theme and width, else in light and wide only. With WORLD=many the lab has 100 000 keys already; only what is
// about them is run.
import { readdir } from 'node:fs/promises';
import { base, browser, findings, open, pictures, settled, signIn } from './browser.mjs';
import { seed } from './seed.mjs';
import { emptyPages, manyPages, pages, signedOutPages } from './pages.mjs';

const wanted = process.argv.slice(3);
const chosen = (name) => wanted.length === 0 || wanted.some((part) => name.includes(part));
/** @type {Array<[string, 'light' | 'dark', number, number]>} */
const looks = [['light', 'light', 1440, 900], ['dark', 'dark', 1440, 900], ['1280', 'light', 1280, 800], ['tablet', 'light', 820, 1180], ['tablet-dark', 'dark', 820, 1180]];
let passed = 0;
let failed = 0;

async function run(name, work) {
  const begun = performance.now();
  try {
    await work();
    passed += 1;
    console.log(`ok   ${name} (${Math.round(performance.now() - begun)} ms)`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}: ${error.message}`);
  }
}

/** Takes a picture of each page, and has axe look at it. @param {import('./pages.mjs').Page[]} all @param {boolean} [signedIn] */
async function photograph(all, signedIn = true) {
  const here = all.filter((page) => chosen(page.name));
  for (const [look, theme, width, height] of here.length === 0 ? [] : process.env.LOOKS === 'all' ? looks : looks.slice(0, 1)) {
    const shown = await open({ theme, width, height });
    if (signedIn) await signIn(shown.page);
    for (const one of here) {
      await run(`page ${one.name}, ${look}`, async () => {
        shown.wrong.length = 0;
        const undo = await one.prepare?.();
        for (const [path, answer] of one.answers ?? []) await shown.page.route((url) => url.pathname === `/api/v1${path}`, (route) => route.fulfill({ json: answer }));
        await shown.page.goto(base + one.path);
        await shown.page.waitForSelector(one.ready ?? 'main h1, main h3, form h1');
        await settled(shown.page);
        if (one.act) await one.act(shown.page);
        if (one.act) await settled(shown.page);
        await shown.page.screenshot({ path: `${pictures}${one.name}-${look}.png` });
        const found = await findings(shown.page);
        const wide = await shown.page.evaluate(() => document.documentElement.scrollWidth > innerWidth + 1);
        await shown.page.unrouteAll({ behavior: 'ignoreErrors' });
        await undo?.();
        const all = [...found, ...shown.wrong, ...(wide ? ['the page is wider than the window'] : [])];
        if (all.length > 0) throw new Error(all.slice(0, 6).join('\n       '));
      });
    }
    await shown.close();
  }
}

const files = (await readdir(new URL('./stories/', import.meta.url))).filter((file) => file.endsWith('.mjs')).sort();
const stories = await Promise.all(files.map(async (file) => ({ file, ...(await import(`./stories/${file}`)) })));

// Stories of an installation with nothing in it come before it is filled.
const many = process.env.WORLD === 'many';
for (const when of many ? ['many'] : ['empty', 'filled']) {
  let world = null;
  // The pages of an installation with nothing in it, before a story puts something into it.
  if (when === 'empty') await photograph(emptyPages());
  if (when === 'many') await photograph(manyPages());
  if (when === 'filled') world = await seed(base);
  for (const story of stories.filter((one) => (one.when ?? 'filled') === when && chosen(one.file))) {
    const shown = await open(story.window);
    await run(`story ${story.file}: ${story.title}`, async () => {
      await story.run({ ...shown, world });
      const serious = shown.wrong.filter((line) => !(story.allows ?? []).some((allowed) => line.includes(allowed)));
      if (serious.length > 0) throw new Error(serious.slice(0, 3).join('; '));
    }).finally(() => shown.page.screenshot({ path: `${pictures}story-${story.file.replace('.mjs', '')}.png` }).catch(() => undefined));
    await shown.close();
  }
  if (when === 'filled') {
    await photograph(signedOutPages(world), false);
    await photograph(pages(world));
  }
}
await browser.close();
console.log(`${passed} passed, ${failed} failed in ${(performance.now() / 1000).toFixed(1)}s`);
process.exit(failed === 0 ? 0 : 1);
