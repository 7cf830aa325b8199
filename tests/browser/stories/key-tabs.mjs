// The policy says who uses the key and would lose it; the materials how each came, and what rotates the key next.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'a new policy says who uses the key and would lose it; the materials say what rotates the key, and offer it';

export async function run({ page, calls, world }) {
  const key = `cckm/aws/keys/${world.keys.cards.id}`;
  const used = { principal: 'arn:aws:iam::345678901234:user/ops', identity_type: 'IAMUser', account: '345678901234', calls: 214, failures: 0, operations: { Decrypt: 214 }, last_used_at: new Date(Date.now() - 60_000).toISOString() };
  await page.route(`**/api/v1/${key}/access?days=7`, (route) => route.fulfill({ json: { id: world.keys.cards.id, entries: [], used_by_known: true, used_by: { principals: [used] } } }));
  await world.call('POST', `${key}/policy`, { policy: JSON.stringify({ Version: '2012-10-17', Statement: [{ Sid: 'root', Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::123456789012:root' }, Action: 'kms:*', Resource: '*' }, { Sid: 'others', Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::345678901234:root' }, Action: 'kms:Decrypt', Resource: '*' }] }) });
  await signIn(page);
  await page.goto(`${base}/${key}?tab=policy`);
  await page.waitForSelector('.foot [data-save]');
  await settled(page);
  if (calls.some((call) => call.path.includes('/access'))) throw new Error('CloudTrail is asked before anything is changed');
  await page.click('.segments button:has-text("JSON")');
  const text = await page.locator('.card textarea').inputValue();
  await page.fill('.card textarea', text.replaceAll('kms:Decrypt', 'kms:Encrypt'));
  await page.waitForSelector('.note:has-text("User ops used it in 214 calls of 7 days")');
  await page.waitForSelector('.would:has-text("Grants stay")');
  await page.screenshot({ path: new URL('../../../target/screenshots/policy-in-use.png', import.meta.url).pathname });
  await page.fill('.card textarea', text.replaceAll('kms:Decrypt', 'kms:*'));
  await page.waitForSelector('.note:has-text("In use")', { state: 'detached' });
  await page.click('.foot button:has-text("Discard")');

  const vault = `cckm/aws/keys/${world.keys['card-vault'].id}`;
  await page.route(`**/api/v1/${vault}`, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), valid_to: new Date(Date.now() + 86_400_000).toISOString() } });
  });
  await page.goto(`${base}/${vault}?tab=materials`);
  await page.waitForSelector('text=Rotated by quarterly-byok, on day 2');
  await page.waitForSelector('text=Next 5');
  await page.waitForSelector('[aria-label="Materials"] td:has-text("first import")');
  await page.screenshot({ path: new URL('../../../target/screenshots/materials-gap.png', import.meta.url).pathname });
  await page.click('.note button:has-text("Rotate now")');
  await page.waitForSelector('dialog:has-text("Rotate the material of alias/card-vault?")');
}
