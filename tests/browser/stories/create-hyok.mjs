// A key is held here: its material never leaves, and AWS gets only an id.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'a HYOK key is created with a source key that is made on the way';

export async function run({ page, world }) {
  await signIn(page);
  await page.goto(`${base}/cckm/aws/create-hyok-key`);
  await page.waitForSelector('.wizard select');
  await settled(page);
  await page.selectOption('.wizard select >> nth=0', 'payments');
  await page.click('.foot .ink');
  await page.click('text=Make a new one');
  const source = `held-${Date.now()}`;
  await page.fill('#source-name', source);
  await page.click('dialog .ink');
  await page.waitForSelector(`.source-pick label:has-text("${source}") input:checked`);
  await page.selectOption('.wizard select', world.store.id);
  const alias = `held-here-${Date.now()}`;
  await page.fill('.form .input:has-text("alias/") input', alias);
  await page.click('.foot .ink');
  await page.click('.foot .ink');
  await page.click('.foot .ink:has-text("Create the HYOK key")');
  await page.waitForSelector(`h1:has-text("${alias}")`, { timeout: 30_000 });
  await page.waitForSelector('.chip.hyok');
  const [key] = (await world.call('GET', `cckm/aws/keys?alias=alias/${alias}`)).resources;
  if (key?.aws_param.Origin !== 'EXTERNAL_KEY_STORE') throw new Error('the key is not held here');

  // A further version: no last day is asked for, which such a key has not.
  await page.click('.actions button:has-text("Rotate")');
  await page.click('text=A new version…');
  await page.waitForSelector('dialog #rotate-source');
  if ((await page.locator('dialog #rotate-until').count()) > 0) throw new Error('a last day is asked for');
  await page.click('dialog button:has-text("Make the version")');
  await page.waitForSelector('dialog', { state: 'detached' });
  const versions = await world.call('GET', `cckm/aws/keys/${key.id}/versions`);
  if (versions.total !== 2) throw new Error(`the key has ${versions.total} versions`);
}
