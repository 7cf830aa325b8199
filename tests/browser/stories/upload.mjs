// Material of one's own becomes a key in AWS.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'a source key is uploaded as a key';

export async function run({ page, world }) {
  await signIn(page);
  await page.goto(`${base}/cckm/aws/upload-key`);
  await page.waitForSelector('.wizard select');
  await settled(page);
  await page.selectOption('.wizard select >> nth=0', 'payments');
  await page.selectOption('.wizard select >> nth=1', 'eu-west-3');
  await page.click('.foot .ink');
  await page.click('.source-pick label:has-text("cards-2027-q1")');
  const alias = `brought-${Date.now()}`;
  await page.fill('.form .input:has-text("alias/") input', alias);
  await page.waitForSelector('text=AWS was asked just now');
  await page.click('.foot .ink');
  await page.click('.foot .ink');
  await page.click('.foot .ink:has-text("Upload the key")');
  await page.waitForSelector(`h1:has-text("${alias}")`, { timeout: 30_000 });
  await page.waitForSelector('.chip.byok');
  const found = await world.call('GET', `cckm/aws/keys?alias=alias/${alias}`);
  if (found.resources[0]?.aws_param.Origin !== 'EXTERNAL') throw new Error('the key has no imported material');
}
