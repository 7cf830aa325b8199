// What cannot be taken back is waited for: Esc and the safe button close no dialog whose act runs, nor a sign-in over a page.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'a dialog whose act runs stays, so that a secret is shown; Esc does not leave a page under a sign-in';

const HOOK = { id: '4b7c1c0e-0c43-4f0e-9d0c-0a7c1e2b3d4f', name: 'night shift', url: 'https://hooks.example.org', enabled: true, conditions: [], pending: 0, lost: 0 };

export async function run({ page, context, world }) {
  await signIn(page);
  await page.route('**/api/v1/alarms/webhooks?*', (route) => route.fulfill({ json: { skip: 0, limit: 10, total: 1, resources: [HOOK] } }));
  await page.route('**/rotate-secret', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await route.fulfill({ json: { ...HOOK, secret: 'whsec_shown-once' } });
  });
  await page.goto(`${base}/alarms?tab=webhooks`);
  await page.click('[aria-label="Acts on night shift"]');
  await page.click('text=Replace the secret…');
  await page.click('dialog .block');
  await page.waitForSelector('dialog .block[aria-busy]');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await page.click('dialog .quiet', { force: true });
  if (!(await page.isVisible('dialog[open]'))) throw new Error('the dialog was closed while its act ran');
  await page.waitForSelector('dialog:has-text("whsec_shown-once")');
  // Nothing runs any more: Esc closes.
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog', { state: 'detached' });

  await page.goto(`${base}/cckm/aws/keys/${world.keys.cards.id}?tab=aliases`);
  await page.waitForSelector('text=Another alias');
  await settled(page);
  await page.fill('form:has-text("Another alias") input', 'typed-before');
  const sessions = await world.call('GET', 'auth/tokens?limit=-1');
  for (const session of sessions.resources.filter((one) => !one.current)) await world.call('DELETE', `auth/tokens/${session.id}`);
  await context.clearCookies();
  // The end of the stream may have brought the sign-in before this is pressed.
  await page.locator('text=Add the alias').evaluate((/** @type {any} */ button) => button.click());
  await page.waitForSelector('dialog.sign-in-over');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await page.waitForTimeout(500);
  if (!(await page.isVisible('dialog.sign-in-over[open]'))) throw new Error('the sign-in was closed');
  if ((await page.inputValue('form:has-text("Another alias") input')) !== 'typed-before') throw new Error('what was typed is lost');
}
