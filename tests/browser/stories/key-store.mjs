// A key store is blocked and unblocked with the big switch; its history is in the log.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'a key store is blocked, and serves again; its history has both';

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

  // No tab may ask for what the API does not have: that would be among what is wrong.
  for (const tab of await page.locator('[role=tab]').all()) {
    await tab.click();
    await settled(page);
  }
  await page.click('[aria-label="More acts"]');
  await page.click('text=Its history');
  await page.waitForSelector('tbody tr:has-text("unblocked")');
}
