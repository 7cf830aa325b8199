// Each tab has a list of its own: its filters and its sort are not those of the next one.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'a tab does not keep the filters and the sort of another tab';

export async function run({ page }) {
  await signIn(page);
  // What a list does not know is refused with 400, which is among what is wrong.
  for (const [path, filtered, tab, kept] of [['/alarms', 'state=on&severity=critical', 'Webhooks', '?tab=webhooks'], ['/jobs', 'abort=true&sort=createdAt', 'Runs of schedules', '?tab=runs']]) {
    await page.goto(`${base}${path}?${filtered}`);
    await page.waitForSelector('[role=tab]');
    await settled(page);
    await page.click(`[role=tab]:has-text("${tab}")`);
    await settled(page);
    const query = await page.evaluate(() => location.search);
    if (query !== kept) throw new Error(`the tab ${tab} has the query ${query}`);
    await page.locator('[role=tab]').first().click();
    await settled(page);
    const first = await page.evaluate(() => location.search);
    if (first !== '') throw new Error(`the first tab has the query ${first}`);
  }
}
