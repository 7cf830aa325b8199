// A key store is blocked and unblocked with the big switch.
import { base, signIn } from '../browser.mjs';

export const title = 'a key store is blocked, and serves again';

export async function run({ page, world }) {
  const path = `cckm/aws/custom-key-stores/${world.store.id}`;
  await signIn(page);
  await page.goto(`${base}/${path}`);
  await page.click('.store-switch .block');
  await page.waitForSelector('dialog:has-text("AWS is refused from the next request on")');
  // The safe way has the focus: Enter alone blocks nothing.
  await page.keyboard.press('Enter');
  await page.waitForSelector('dialog', { state: 'detached' });
  if ((await world.call('GET', path)).local_hosted_params.blocked) throw new Error('Enter blocked the store');

  await page.click('.store-switch .block');
  await page.click('dialog .block');
  await page.waitForSelector('.store-switch.blocked');
  if (!(await world.call('GET', path)).local_hosted_params.blocked) throw new Error('the store is not blocked');
  await page.click('text=Serve again');
  await page.waitForSelector('.store-switch:not(.blocked)');
  if ((await world.call('GET', path)).local_hosted_params.blocked) throw new Error('the store is still blocked');
}
