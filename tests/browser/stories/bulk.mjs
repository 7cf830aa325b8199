// Fifty keys are disabled at once; the tray shows it live. Then all that match are enabled, more than the page has.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'a bulk job disables 50 keys, watched in the tray; another one enables all that match';

export async function run({ page, calls, world }) {
  const tag = `bulk${Date.now()}`;
  for (let i = 0; i < 50; i += 1) await world.call('POST', 'cckm/aws/keys', { kms: 'payments', region: 'us-east-1', aws_param: { Alias: `${tag}-${String(i).padStart(2, '0')}`, Tags: [{ TagKey: tag, TagValue: 'x' }] } });
  await signIn(page);
  await page.goto(`${base}/cckm/aws/keys?tags=${tag}&limit=50`);
  await page.waitForSelector('tbody tr:nth-child(50) a');
  await page.click('thead .box');
  await page.waitForSelector('.bulk:has-text("50 selected")');
  await page.click('.bulk button:has-text("Disable")');
  await page.waitForSelector('.tool.busy', { timeout: 10_000 });
  await page.click('.tool.busy');
  await page.waitForSelector('text=/\\d+ of 50/');
  await page.waitForFunction(() => !document.querySelector('.tool.busy'), null, { timeout: 120_000 });
  const off = await world.call('GET', `cckm/aws/keys?tags=${tag}&keystate=Disabled&limit=1`);
  if (off.total !== 50) throw new Error(`${off.total} of 50 keys are disabled`);
  // The list was read again by itself.
  await page.keyboard.press('Escape');
  await settled(page);
  await page.waitForFunction(() => document.querySelectorAll('tbody .state').length === 50 && [...document.querySelectorAll('tbody .state')].every((state) => state.textContent === 'Disabled'), null, { timeout: 15_000 });

  // All that match, from a page of ten: one job, which the server chooses the keys of.
  await page.goto(`${base}/cckm/aws/keys?tags=${tag}&keystate=Disabled&limit=10`);
  await page.waitForSelector('tbody tr:nth-child(10) a');
  await settled(page);
  await page.click('thead .box');
  await page.waitForSelector('.bulk:has-text("10 selected")');
  await page.click('text=Select all 50 that match');
  await page.waitForSelector('.bulk:has-text("50 selected")');
  calls.length = 0;
  await page.click('.bulk button:has-text("Enable")');
  await page.waitForSelector('.tool.busy', { timeout: 10_000 });
  await page.waitForFunction(() => !document.querySelector('.tool.busy'), null, { timeout: 120_000 });
  const begun = calls.filter((call) => call.method === 'POST' && call.path.startsWith('/cckm/aws/bulkjob')).length;
  if (begun !== 1) throw new Error(`${begun} jobs were begun for all that match`);
  const on = await world.call('GET', `cckm/aws/keys?tags=${tag}&keystate=Enabled&limit=1`);
  if (on.total !== 50) throw new Error(`${on.total} of 50 keys are enabled`);
}
