// A schedule is made; a key is put under it; its record in the log leads to it.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'a schedule is made, and a key put under it; the year shows its runs';

export async function run({ page, world }) {
  const name = `weekly-${Date.now()}`;
  await signIn(page);
  await page.goto(`${base}/scheduler/job-configs?new=1`);
  await page.waitForSelector('form');
  await page.fill('.form .input input >> nth=0', name);
  await page.click('text=Saturdays');
  await settled(page);
  await page.click('.foot .ink');
  await page.waitForSelector(`.panel:has-text("${name}")`);
  const made = await world.call('GET', `scheduler/job-configs?name=${name}`);
  if (made.resources[0]?.run_at !== '0 9 * * sat') throw new Error(`run_at is ${made.resources[0]?.run_at}`);

  await page.goto(`${base}/cckm/aws/keys/${world.keys['geo-cache'].id}`);
  await page.click('.actions button:has-text("Rotate")');
  await page.click('text=Rotate it by a schedule…');
  await page.selectOption('#rotate-schedule', made.resources[0].id);
  await page.click('dialog .ink');
  await page.waitForSelector('dialog', { state: 'detached' });
  const under = await world.call('GET', `scheduler/job-configs/${made.resources[0].id}`);
  if (under.keys_count !== 1) throw new Error(`${under.keys_count} keys are under the schedule`);

  // The year has a dot for each of its runs, and one a quarter for the other schedule.
  await page.goto(`${base}/scheduler/job-configs`);
  const row = page.locator(`a.year:has-text("${name}")`);
  await row.waitFor();
  const [weeks, quarters] = [await row.locator('b').count(), await page.locator('a.year:has-text("quarterly-byok") b').count()];
  if (![52, 53].includes(weeks) || ![4, 5].includes(quarters)) throw new Error(`${weeks} and ${quarters} runs are in the year`);
  await row.click();
  await page.waitForSelector(`.panel:has-text("${name}")`);

  await page.goto(`${base}/audit/records?resource=schedule/${made.resources[0].id}`);
  await page.click('tbody tr:first-child td:nth-child(4)');
  await page.click(`.record dl a:has-text("${name}")`);
  await page.waitForSelector(`.panel:has-text("Saturday")`);
}
