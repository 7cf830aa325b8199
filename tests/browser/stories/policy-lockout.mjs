// A lockout by a policy: what AWS refuses cannot be saved; what locks the account out is saved once the name of the key is typed.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'a policy that locks Claviger out is not sent; one that locks the account out only by name';

export async function run({ page, world }) {
  const key = world.keys['fraud-features'];
  const path = `cckm/aws/keys/${key.id}`;
  const policyOf = async () => JSON.stringify((await world.call('GET', path)).aws_param.Policy);
  const before = await policyOf();
  await signIn(page);
  await page.goto(`${base}/${path}?tab=policy`);
  await page.waitForSelector('text=Who');
  await page.click('button:has-text("JSON")');
  const alone = (principal) => page.locator('.editor textarea').fill(JSON.stringify({ Version: '2012-10-17', Statement: [{ Sid: 'One', Effect: 'Allow', Principal: { AWS: principal }, Action: 'kms:*', Resource: '*' }] }, null, 2));
  await alone(`arn:aws:iam::${key.account_id}:root`);
  await page.waitForSelector('.note.ok:has-text("No lockout.")', { timeout: 20_000 });
  await alone(`arn:aws:iam::${key.account_id}:role/somebody-else`);
  await page.waitForSelector('.note.danger:has-text("AWS refuses this policy")', { timeout: 20_000 });
  if ((await page.getAttribute('.foot .ink', 'aria-disabled')) !== 'true') throw new Error('what AWS refuses can be saved');

  const { lockout } = await world.call('POST', `${path}/check-policy`, { policy: JSON.parse(before) });
  await alone(lockout.caller);
  await page.waitForSelector('.note.warn:has-text("Lockout of the account.")', { timeout: 20_000 });
  await page.click('.foot .ink');
  await page.waitForSelector('dialog:has-text("The administrators of the account could not change this policy again")');
  if ((await page.getAttribute('dialog button[type=submit]', 'aria-disabled')) !== 'true') throw new Error('it is saved without the name');
  if ((await policyOf()) !== before) throw new Error('it was saved before it was asked');
  await page.fill('#ask-name', 'fraud-features');
  await page.click('dialog button[type=submit]');
  await page.waitForSelector('.toast:has-text("is set in AWS")', { timeout: 20_000 });
  await settled(page);
  if (!(await policyOf()).includes(lockout.caller)) throw new Error('AWS does not have the policy');
  await world.call('POST', `${path}/policy`, { policy: JSON.parse(before) });
}
