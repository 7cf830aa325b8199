// A key store is refused at the first try: the health check key that was made for it serves the second.
import { settled } from '../browser.mjs';
import { openKeyStoreForm } from '../key-store-form.mjs';

export const title = 'a key store that was refused is added at the second try';
export const allows = ['refused as wrong'];

export async function run({ page, calls, world }) {
  const name = `store-${Date.now()}`;
  await openKeyStoreForm(page, name);
  await page.getByLabel('Health check key').selectOption('new');
  await page.getByLabel(/^Address/).fill('http://xks.lab.internal');
  await page.click('button:has-text("Add the key store")');
  await page.waitForSelector('form .error, form .note.danger');
  await settled(page);
  const [source] = (await world.call('GET', `vault/keys2?name=${name}-health`)).resources;
  if ((await page.getByLabel('Health check key').inputValue()) !== source.id) throw new Error('the key that was made is not the one that is chosen');

  calls.length = 0;
  await page.getByLabel(/^Address/).fill('https://xks.lab.internal');
  await page.click('button:has-text("Add the key store")');
  await page.click('dialog button:has-text("I have it")');
  await page.waitForSelector(`h1:has-text("${name}")`);
  if (calls.some((call) => call.method === 'POST' && call.path === '/vault/keys2')) throw new Error('a second key was made');
  const [made] = (await world.call('GET', `cckm/aws/custom-key-stores?name=${name}`)).resources;
  if (made?.local_hosted_params.health_check_key_id !== source.id) throw new Error('the store does not use the key that was made for it');
  await world.call('DELETE', `cckm/aws/custom-key-stores/${made.id}`);
  await world.call('PATCH', `vault/keys2/${source.id}`, { undeletable: false });
  await world.call('DELETE', `vault/keys2/${source.id}`);
}
