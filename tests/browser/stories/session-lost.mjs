// The session ends in the middle of a form: sign-in lies over it, nothing that was typed is lost, and the call is repeated.
import { base, password, settled, signIn } from '../browser.mjs';

export const title = 'a 401 in a form opens sign-in over it, and then repeats the call';

export async function run({ page, context, world, calls }) {
  await signIn(page);
  await page.goto(`${base}/cckm/aws/keys/${world.keys.cards.id}?tab=aliases`);
  await page.waitForSelector('text=Another alias');
  await settled(page);
  const alias = `again-${Date.now()}`;
  await page.fill('form:has-text("Another alias") input', alias);
  // The session is closed by an administrator, with all others but the administrator's own, and its cookie is gone.
  const sessions = await world.call('GET', 'auth/tokens?limit=-1');
  for (const session of sessions.resources.filter((one) => !one.current)) await world.call('DELETE', `auth/tokens/${session.id}`);
  await context.clearCookies();
  await page.click('text=Add the alias');
  await page.waitForSelector('dialog.sign-in-over');
  calls.length = 0;
  if ((await page.inputValue('form:has-text("Another alias") input')) !== alias) throw new Error('what was typed is lost');
  await page.fill('dialog #sign-in-password', password);
  await page.click('dialog button[type=submit]');
  await page.waitForSelector(`td:has-text("${alias}")`);
  await settled(page);
  const sent = calls.filter((call) => call.method === 'POST' && call.path.endsWith('/add-alias')).length;
  if (sent !== 1) throw new Error(`the call was repeated ${sent} times`);
  const now = await world.call('GET', `cckm/aws/keys/${world.keys.cards.id}`);
  if (!now.aws_param.Alias.includes(`alias/${alias}`)) throw new Error('the alias was not added');
}
