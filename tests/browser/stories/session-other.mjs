// The session ends in the middle of a form, and somebody else signs in over it: the first user's call is not carried out, nor shown.
import { base, settled, signIn } from '../browser.mjs';
import { MEMBER } from '../seed.mjs';

export const title = 'another user who signs in over a form carries out nothing of the first one, and sees no draft';

export async function run({ page, context, world, calls }) {
  const key = world.keys.cards;
  await signIn(page);
  // A draft of the first user, which is kept in this tab.
  await page.goto(`${base}/vault/keys2?new=1`);
  await page.getByLabel('Name', { exact: true }).fill('draft-of-the-first');
  await page.waitForFunction(() => JSON.stringify(sessionStorage).includes('draft-of-the-first'));

  await page.goto(`${base}/cckm/aws/keys/${key.id}?tab=aliases`);
  await page.waitForSelector('text=Another alias');
  await settled(page);
  const alias = `not-hers-${Date.now()}`;
  await page.fill('form:has-text("Another alias") input', alias);
  const sessions = await world.call('GET', 'auth/tokens?limit=-1');
  for (const session of sessions.resources.filter((one) => !one.current)) await world.call('DELETE', `auth/tokens/${session.id}`);
  await context.clearCookies();
  await page.click('text=Add the alias');
  await page.waitForSelector('dialog.sign-in-over');
  calls.length = 0;
  await page.fill('dialog #sign-in-name', MEMBER.username);
  await page.fill('dialog #sign-in-password', MEMBER.password);
  await page.click('dialog button[type=submit]');
  await page.waitForSelector(`.me:has-text("${MEMBER.username}")`);
  await settled(page);
  const sent = calls.filter((call) => call.method === 'POST' && call.path.includes('add-alias'));
  if (sent.length > 0) throw new Error('the call of the first user was repeated by the second');
  const now = await world.call('GET', `cckm/aws/keys/${key.id}`);
  if (now.aws_param.Alias.some((one) => one.includes(alias))) throw new Error('the alias was added');
  if ((await page.evaluate(() => JSON.stringify(sessionStorage))).includes('draft-of-the-first')) throw new Error('the draft of the first user is left');

  // Signing out leaves nothing of the second one either; a sign-out that fails is said.
  await page.route('**/api/v1/auth/revoke', (route) => route.fulfill({ status: 503, json: { message: 'not now' } }));
  await page.click('.me');
  await page.click('text=Sign out');
  await page.waitForSelector('dialog:has-text("not now")');
  await page.unroute('**/api/v1/auth/revoke');
  await page.click('dialog button:has-text("Close")');
  await page.click('.me');
  await page.click('text=Sign out');
  await page.waitForSelector('#sign-in-name');
  await page.reload();
  await page.waitForSelector('#sign-in-name');
}
