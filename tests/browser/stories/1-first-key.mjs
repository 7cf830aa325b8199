// An installation with nothing in it: from the first sign-in over the four steps to the first key.
import { asCall, settled, signIn } from '../browser.mjs';

export const title = 'from the first sign-in to the first key';
export const when = 'empty';

export async function run({ page }) {
  await signIn(page);
  await page.waitForSelector('text=Four steps to your first key');
  await page.click('text=Add a KMS');
  await page.waitForSelector('.wizard');
  const next = async (name) => {
    const button = page.locator('.foot .button.ink');
    await button.and(page.locator(':not([aria-disabled="true"])')).waitFor();
    if (!(await button.textContent()).includes(name)) throw new Error(`the next step is ${await button.textContent()}, not ${name}`);
    await button.click();
  };
  await next('Account and regions');
  await page.check('text=eu-north-1');
  await next('Name');
  await page.fill('.wizard .input input', 'first');
  const shown = await asCall(page);
  if (!shown.includes('"name": "first"') || !shown.includes('eu-north-1')) throw new Error(`the API menu shows ${shown}`);
  await next('Add the KMS');
  await page.waitForSelector('h1:has-text("first")');

  await page.keyboard.press('Control+k');
  await page.keyboard.type('create');
  await page.keyboard.press('Enter');
  await page.waitForSelector('h1:has-text("Create a key")');
  await settled(page);
  await next('Key and material');
  await page.fill('.form .input:has-text("alias/") input', 'first-key');
  await page.waitForSelector('text=AWS was asked just now');
  await next('Policy');
  await next('Review');
  await next('Create the key');
  await page.waitForSelector('h1:has-text("first-key")');
  await page.waitForSelector('.state:has-text("Enabled")');
}
