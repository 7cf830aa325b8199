// Back in time: the KMS as it was, record by record, compared with now; the past is read only.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'a KMS is shown as it was, step by step, and nothing of the past can be changed';

export async function run({ page, world }) {
  const path = `/cckm/aws/kms/${world.payments.id}`;
  await signIn(page);
  await page.goto(`${base}${path}?tab=history`);
  await page.waitForSelector('text=As it was then');
  await page.locator('text=As it was then').last().click();
  await page.waitForSelector('.timebar');
  await page.waitForSelector('text=Then and now');
  await settled(page);
  if (!page.url().includes('at=')) throw new Error('the time is not in the address');
  if ((await page.locator('text=Synchronise').count()) > 0 || (await page.locator('text=Edit regions').count()) > 0) throw new Error('the past offers a change');
  if (!(await page.textContent('.then-now')).includes('0 entries')) throw new Error('the rights are not those of then');

  // The arrow of the slider goes to the next record, its end to now's state.
  const first = page.url();
  await page.locator('[role=slider]').focus();
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction((old) => location.href !== old, first);
  await page.keyboard.press('End');
  await page.waitForSelector('.card:has-text("Then and now") >> text=0 of 6 differ');

  await page.goBack();
  await page.waitForSelector('text=As it was then');
  await page.goForward();
  await page.click('text=Back to now');
  await page.waitForSelector('.timebar', { state: 'detached' });
  await page.waitForSelector('text=Edit regions');
}
