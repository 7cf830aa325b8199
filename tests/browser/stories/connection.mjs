// A connection: a wrong secret is said before anything is kept, the draft stays, the right one is tested and kept.
import { asCall, base, settled, signIn } from '../browser.mjs';

export const title = 'a connection is tested before it is kept; a mistake loses nothing that was typed';

export async function run({ page, world }) {
  const path = '/connectionmgmt/services/aws/connections';
  const name = `story-${Date.now()}`;
  await signIn(page);
  await page.goto(`${base}${path}?new=1`);
  await page.waitForSelector('.policy-aside .json');
  const before = await page.textContent('.policy-aside .json');
  await page.click('label:has-text("Reports")');
  await page.waitForFunction((old) => document.querySelector('.policy-aside .json')?.textContent !== old, before);

  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Access key id').fill('AKIALABUSER1ONLYLAB1');
  await page.getByLabel('Secret access key').fill('not the secret');
  const shown = await asCall(page);
  if (!shown.includes('"access_key_id": "AKIALABUSER1ONLYLAB1"') || shown.includes('not the secret')) throw new Error(`the API menu shows ${shown}`);
  await page.click('button:has-text("Test")');
  await page.waitForSelector('text=AWS refused');
  if ((await world.call('GET', `${path.slice(1)}?name=${name}`)).total !== 0) throw new Error('a refused connection was kept');

  // The page is loaded again in the middle: what was typed is there, but for the secret.
  await page.reload();
  await page.waitForSelector('form');
  if ((await page.getByLabel('Name', { exact: true }).inputValue()) !== name) throw new Error('the draft is lost');
  if ((await page.getByLabel('Secret access key').inputValue()) !== '') throw new Error('the secret is in the draft');
  if ((await page.evaluate(() => JSON.stringify(sessionStorage))).includes('not the secret')) throw new Error('the secret is in the storage');

  await page.getByLabel('Secret access key').fill('lab-only/user1/not+a+secret/of+any+use01');
  await page.click('button:has-text("Test")');
  await page.waitForSelector('text=It works');
  await page.click('text=Keep the connection');
  await page.waitForSelector('.wizard');
  await settled(page);
  if (!page.url().includes('/cckm/aws/kms')) throw new Error('it does not lead to the KMS');
  await world.call('DELETE', `${path.slice(1)}/${name}`);

  // A change is tried before it is saved: AWS says what it thinks of a new secret, and nothing is changed.
  const used = await world.call('GET', `${path.slice(1)}/${world.payments.connection}`);
  await page.goto(`${base}${path}/${used.id}?tab=settings`);
  await page.getByLabel('Secret access key').fill('not the secret either');
  await page.click('button:has-text("Dry run")');
  await page.waitForSelector('.note.danger:has-text("AWS refused")');
  await page.getByLabel('Secret access key').fill('');
  await page.getByLabel('Description').fill('For the payments team');
  await page.click('button:has-text("Dry run")');
  await page.waitForSelector('text=AWS accepts it');
  if ((await world.call('GET', `${path.slice(1)}/${used.id}`)).updatedAt !== used.updatedAt) throw new Error('a dry run changed the connection');
}
