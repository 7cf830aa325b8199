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

  // Runs show what they did, and which key failed, and why.
  const key = `cckm/aws/keys/${world.keys['geo-cache'].id}`;
  const runOnce = async () => {
    const run = await world.call('POST', `scheduler/job-configs/${made.resources[0].id}/run-now`, {});
    for (let tries = 0; (await world.call('GET', `scheduler/jobs/${run.id}`)).overall_status === 'in_progress'; tries += 1) {
      if (tries > 200) throw new Error('the run goes on and on');
      await new Promise((done) => setTimeout(done, 50));
    }
  };
  await runOnce();
  await world.call('POST', `${key}/disable`, {});
  await runOnce();
  await world.call('POST', `${key}/enable`, {});
  await page.goto(`${base}/scheduler/job-configs?open=${made.resources[0].id}`);
  await page.waitForSelector('.panel .runs li >> nth=1');
  const words = await page.locator('.panel .runs li').allTextContents();
  if (!words[0].includes('1 failed') || !words[1].includes('1 done')) throw new Error(`the last runs are ${words.join(' and ')}`);
  await page.click('.panel .runs li:first-child a');
  await page.waitForSelector('.panel .runs li:has-text("geo-cache"):has-text("Disabled")');
  await page.waitForSelector('tbody tr:has-text("0 done, 1 failed")');

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
