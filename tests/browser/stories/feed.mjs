// The overview: the feed names what was changed, what was done to many at once is one row, and each field has the number of its findings.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'the feed of the overview has names, and each field its findings';

export async function run({ page, world, calls }) {
  const keys = ['rds-core', 'pan-tokens', 'payroll'].map((name) => world.keys[name]);
  for (const key of keys) await world.call('POST', `cckm/aws/keys/${key.id}/update-description`, { description: `described ${Date.now()}` });
  await world.call('POST', `cckm/aws/keys/${world.keys['refunds-queue'].id}/add-tags`, { tags: [{ tag_key: 'story', tag_value: 'feed' }] });
  await signIn(page);
  calls.length = 0;
  await page.goto(base);
  await page.waitForSelector('.feed li');
  await settled(page);
  await page.waitForSelector('.feed li:has-text("refunds-queue")');
  const short = await page.locator('.feed .name').allTextContents().then((names) => names.filter((name) => /^[0-9a-f]{8}$/.test(name)));
  if (short.length > 0) throw new Error(`the feed shows ids: ${short.join(', ')}`);
  const many = page.locator('.feed li:has-text("described") a');
  if ((await many.textContent()) !== '3 keys') throw new Error(`the feed says ${await many.textContent()}`);
  const asked = calls.filter((call) => call.path.startsWith('/cckm/aws/keys?') && call.path.includes('fields=id'));
  if (asked.length > 2) throw new Error(`names were asked for ${asked.length} times`);

  const posture = await world.call('GET', 'cckm/aws/posture');
  await page.waitForSelector('.field-of sup');
  const numbers = (await page.locator('.field-of sup').allTextContents()).map((text) => Number(text.replace(/\D/g, '')));
  const sum = numbers.reduce((total, one) => total + one, 0);
  if (sum !== posture.keys_with_findings) throw new Error(`the fields have ${sum} of ${posture.keys_with_findings} findings`);
  await many.click();
  await page.waitForSelector('tbody tr');
  if ((await page.locator('tbody tr').count()) < 3) throw new Error('the row does not lead to its records');
}
