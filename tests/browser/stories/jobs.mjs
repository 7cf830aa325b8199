// The panel of a bulk job has the names of its keys by one call, which what happens to the keys does not repeat.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'the keys of a job are named by one call; a page that is opened later is read once';

export async function run({ page, world, calls }) {
  const keys = ['cards', 'payroll', 'geo-cache', 'lake-raw'].map((name) => world.keys[name].id);
  const job = await world.call('POST', 'cckm/aws/bulkjob', { keys, operation: 'enablekey' });
  await signIn(page);
  await page.goto(`${base}/jobs?open=${job.id}`);
  await page.waitForSelector('.panel a:has-text("geo-cache")');
  for (const name of ['cards', 'payroll', 'lake-raw']) await page.waitForSelector(`.panel a:has-text("${name}")`);
  await world.call('POST', `cckm/aws/keys/${keys[2]}/update-description`, { description: `Described at ${new Date().toISOString()}` });
  await page.waitForTimeout(3000);
  const named = calls.filter((call) => /^\/cckm\/aws\/keys(\/|\?id=)/.test(call.path));
  if (named.length !== 1) throw new Error(`the names took ${named.length} calls: ${named.map((call) => call.path.slice(0, 60)).join(', ')}`);

  // A synchronisation that read all of its regions has failed in none.
  await world.call('POST', 'cckm/aws/synchronization-jobs', { kms: ['payments'] });
  await page.goto(`${base}/jobs?tab=sync`);
  await page.click('tbody tr:first-child td:nth-child(2)');
  await page.waitForSelector('.panel section:has-text("Completed") >> text=3 of 3');
  if ((await page.locator('.panel :text("failed"), tbody tr:first-child :text("failed")').count()) > 0) throw new Error('regions that were read are said to have failed');

  // The log has changed since the start: its page, opened then, is read once, not twice. What the job's last events ask for
  // is read before.
  await page.waitForTimeout(4000);
  await settled(page);
  calls.length = 0;
  await page.click('nav a[href="/audit/records"]');
  await page.waitForSelector('tbody tr td');
  await settled(page);
  const read = calls.filter((call) => call.path.startsWith('/audit/records?') && !/[?&]limit=1(&|$)/.test(call.path));
  if (read.length !== 1) throw new Error(`the log was read ${read.length} times`);
}
