// A question shows the act that it asks about as a call of the API, with what is typed; it makes no call for that.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'a question before an act shows the call that it would make';

export async function run({ page, calls, world }) {
  await signIn(page);
  await page.goto(`${base}/cckm/aws/keys/${world.keys.cards.id}`);
  await page.waitForSelector('[role=tablist]');
  await settled(page);
  calls.length = 0;
  await page.click('text=Schedule deletion…');
  const shown = async () => {
    await page.click('dialog button[aria-label="This as a call of the API"]');
    const text = await page.textContent('dialog .popup pre');
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog .popup pre', { state: 'detached' });
    return text;
  };
  const first = await shown();
  if (!first.includes('-X POST') || !first.includes(`/cckm/aws/keys/${world.keys.cards.id}/schedule-deletion'`) || !first.includes('"days": 30')) throw new Error(`the call is shown as ${first}`);
  await page.fill('dialog #days', '12');
  if (!(await shown()).includes('"days": 12')) throw new Error('the call does not have what was typed');
  await page.click('dialog button:has-text("Keep the key")');
  await page.waitForSelector('dialog', { state: 'detached' });
  if (calls.some((call) => call.method !== 'GET')) throw new Error(`to show a call, ${calls.map((call) => `${call.method} ${call.path}`).join(', ')} was called`);

  // A password is in no such text.
  await page.goto(`${base}/usermgmt/users?open=${encodeURIComponent(world.people.ids['operator-2'])}`);
  await page.click('.panel [aria-label="Acts"]');
  await page.click('text=Reset the password…');
  await page.waitForSelector('dialog #new-password');
  if ((await page.locator('dialog [aria-label="This as a call of the API"]').count()) > 0) throw new Error('a question with a password shows its call');
}
