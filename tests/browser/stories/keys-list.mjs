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

  await page.fill('[data-search]', 'cards');
  await page.waitForFunction(() => [...document.querySelectorAll('tbody tr a')].every((link) => /card/i.test(link.textContent ?? '')));
}
