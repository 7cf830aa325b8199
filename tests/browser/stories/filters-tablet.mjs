// On a tablet all filters are in one sheet; they are in the address as on a wide window.
import { base, findings, settled, signIn } from '../browser.mjs';

export const title = 'filters are in a sheet on tablets';
export const window = { width: 820, height: 1180 };

export async function run({ page }) {
  await signIn(page);
  await page.goto(`${base}/cckm/aws/keys?keymanager=CUSTOMER`);
  await page.waitForSelector('tbody tr a');
  await settled(page);
  if ((await page.locator('.filter-chip, .filter-add').count()) > 0) throw new Error('there are chips beside the sheet');
  await page.click('button[aria-label="Filters, 1 set"]');
  const sheet = page.locator('.filter-sheet');
  await sheet.locator('.item:has-text("State")').click();
  await sheet.locator('.item:has-text("Disabled")').click();
  if (!page.url().includes('keystate=Disabled')) throw new Error('the filter is not in the address');
  await sheet.locator('button:has-text("All filters")').click();
  await sheet.locator('.item:has-text("State") >> text=Disabled').waitFor();
  const found = await findings(page);
  if (found.length > 0) throw new Error(found.join('; '));
  await sheet.locator('button:has-text("Done")').click();
  await page.click('button[aria-label="Filters, 2 set"]');
  await sheet.locator('button:has-text("Take all away")').click();
  await page.waitForSelector('button[aria-label="Filters"]');
  if (/keystate|keymanager/.test(page.url())) throw new Error('filters are left in the address');
}
