// Names with markup, quotes and text from right to left are shown as text, and run nowhere.
import { base, settled, signIn } from '../browser.mjs';
import { LONGEST } from '../seed.mjs';

export const title = 'markup in names is text; the longest name breaks no page';

export async function run({ page, world }) {
  let ran = false;
  page.on('dialog', (dialog) => {
    ran = true;
    dialog.dismiss();
  });
  await signIn(page);
  await page.goto(`${base}/cckm/aws/keys/${world.keys['atm-pin-block'].id}`);
  await page.waitForSelector('text=onerror=alert');
  if ((await page.locator('main img').count()) > 0 || ran) throw new Error('markup of a description was run');
  for (const path of [`/cckm/aws/keys/${world.keys[LONGEST].id}`, '/cckm/aws/keys?cols=alias,description,state']) {
    await page.goto(base + path);
    await page.waitForSelector('main h1');
    await settled(page);
    if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth + 1)) throw new Error(`${path} is wider than the window`);
  }
}
