// The form of a new key store: what the stories about it have in common.
import { base, settled, signIn } from './browser.mjs';

/** Opens the form with a name, in the KMS `payments`; the store is not made at AWS at once. */
export async function openKeyStoreForm(page, name) {
  await signIn(page);
  await page.goto(`${base}/cckm/aws/custom-key-stores?new=1`);
  await page.waitForSelector('form select');
  await settled(page);
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('KMS', { exact: true }).selectOption('payments');
  await page.getByLabel('Make it at AWS at once').uncheck();
}
