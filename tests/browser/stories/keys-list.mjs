// The list of keys: search, filters and sorts are in the address, and a page of the history brings them back.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'the address has the state of the list; back, reload and sharing work';

export async function run({ page, calls }) {
  await signIn(page);
  await page.goto(`${base}/cckm/aws/keys?keymanager=CUSTOMER`);
  await page.waitForSelector('tbody tr a');
  await settled(page);
  calls.length = 0;
  await page.click('th:has-text("State") button');
  await settled(page);
  if (!new URL(page.url()).search.includes('sort=keystate')) throw new Error('the sort is not in the address');
  const lists = calls.filter((call) => call.path.startsWith('/cckm/aws/keys?') && call.path.includes('sort=keystate'));
  if (lists.length !== 1) throw new Error(`a sort asked ${lists.length} times`);

  await page.click('tbody tr:first-child a');
  await page.waitForSelector('[role=tablist]');
  await page.goBack();
  await page.waitForSelector('tbody tr a');
  if (!page.url().includes('sort=keystate')) throw new Error('back does not lead to the sorted list');
  await page.reload();
  await page.waitForSelector('th[aria-sort="ascending"]');
  await page.waitForSelector('tbody tr a');

  const before = await page.locator('tbody tr a').count();
  await page.fill('[data-search]', 'cards');
  await page.waitForFunction(() => location.search.includes('search=cards'));
  await settled(page);
  const found = await page.locator('tbody tr a').allTextContents();
  if (found.length === 0 || found.length >= before) throw new Error(`the search finds ${found.length} of ${before} keys`);
  if (!found.every((name) => /card/i.test(name))) throw new Error(`the search finds ${found.join(', ')}`);
}
