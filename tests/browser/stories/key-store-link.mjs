// A key store that waits here is made at AWS in its page, then connected, disconnected and deleted.
import { settled } from '../browser.mjs';
import { openKeyStoreForm } from '../key-store-form.mjs';

export const title = 'a key store is made at AWS, connected, disconnected and deleted in its page';

export async function run({ page, world }) {
  const name = `linked-${Date.now()}`;
  const source = await world.call('POST', 'vault/keys2', { name: `${name}-health`, algorithm: 'aes', size: 256, unexportable: true, undeletable: true });
  await openKeyStoreForm(page, name);
  await page.getByLabel('Region').selectOption('eu-west-3');
  await page.getByLabel('Health check key').selectOption(source.id);
  await page.getByLabel(/^Address/).fill('https://xks.lab.internal');
  await page.click('button:has-text("Add the key store")');
  await page.click('dialog button:has-text("I have it")');
  await page.waitForSelector(`h1:has-text("${name}")`);
  await settled(page);
  const store = async () => (await world.call('GET', `cckm/aws/custom-key-stores?name=${name}`)).resources[0];
  if ((await store()).local_hosted_params.linked_state) throw new Error('it was made at AWS without a word');

  const sure = async (button) => {
    await page.click(`.actions button:has-text("${button}")`);
    await page.click('dialog button[type=submit]');
    await page.waitForSelector('dialog', { state: 'detached', timeout: 20_000 });
  };
  await sure('Make it at AWS…');
  await page.waitForSelector('.actions button:has-text("Connect to AWS")');
  if (!(await store()).local_hosted_params.linked_state) throw new Error('it is not at AWS');
  await page.click('.actions button:has-text("Connect to AWS")');
  // The page follows what AWS says by itself.
  await page.waitForSelector('.actions button:has-text("Disconnect from AWS…")', { timeout: 40_000 });
  await sure('Disconnect from AWS…');
  await page.waitForSelector('.actions button:has-text("Connect to AWS")', { timeout: 40_000 });
  await page.click('[aria-label="More acts"]');
  await page.click('[role=menuitem]:has-text("Delete…")');
  await page.fill('#ask-name', name);
  await page.click('dialog button[type=submit]');
  await page.waitForURL((url) => url.pathname === '/cckm/aws/custom-key-stores');
  if (await store()) throw new Error('it is still there');
  await world.call('PATCH', `vault/keys2/${source.id}`, { undeletable: false });
  await world.call('DELETE', `vault/keys2/${source.id}`);
}
