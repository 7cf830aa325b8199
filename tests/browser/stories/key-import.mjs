// The material of a key is deleted by name, imported again until a day, and other material after it.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'material is deleted by name, imported again until a day, and the key serves again';

export async function run({ page, world }) {
  const name = `imported-${Date.now()}`;
  const made = await world.call('POST', 'cckm/aws/upload-key', { kms: 'payments', region: 'eu-west-3', source_key_identifier: 'root-2026', aws_param: { Alias: name } });
  const path = `cckm/aws/keys/${made.id}`;
  const state = async () => (await world.call('GET', path)).aws_param.KeyState;
  await signIn(page);
  await page.goto(`${base}/${path}?tab=materials`);
  const row = page.locator('table[aria-label="Materials"] tbody tr');
  await row.first().waitFor();
  await settled(page);
  await row.first().locator('button:has-text("Delete…")').click();
  await page.fill('#ask-name', name);
  await page.click('dialog button[type=submit]');
  await page.waitForSelector('dialog', { state: 'detached' });
  await page.waitForSelector('.head .state:has-text("Pending import")');
  await row.locator('text=Pending import').waitFor();
  if ((await state()) !== 'PendingImport') throw new Error(`AWS says ${await state()}`);

  const until = new Date(Date.now() + 40 * 86_400_000).toISOString().slice(0, 10);
  await settled(page);
  await row.first().locator('button:has-text("Import again")').click();
  await page.fill('#import-until', until);
  await page.click('dialog button[type=submit]');
  await page.waitForSelector('dialog', { state: 'detached', timeout: 20_000 });
  await page.waitForSelector('.head .state:has-text("Enabled")');
  const after = (await world.call('GET', path)).aws_param;
  if (after.KeyState !== 'Enabled' || !String(after.ValidTo).startsWith(until)) throw new Error(`AWS says ${after.KeyState}, until ${after.ValidTo}`);

  // Other material comes in by the name of a source key.
  await page.click('button:has-text("Import material…")');
  await page.fill('#import-source', 'cards-2027-q1');
  await page.click('dialog button[type=submit]');
  await page.waitForSelector('dialog', { state: 'detached', timeout: 20_000 });
  await row.locator('text=Pending rotation').waitFor();
  await row.locator('text=Current').waitFor();
  await world.call('POST', `${path}/schedule-deletion`, { days: 7 });
}
