// Back in time: the KMS as it was, record by record, compared with now; the past is read only.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'a KMS is shown as it was, step by step; nothing of the past can be changed, but a policy of then becomes a draft for now';

export async function run({ page, world }) {
  const path = `/cckm/aws/kms/${world.payments.id}`;
  await signIn(page);
  await page.goto(`${base}${path}?tab=history`);
  await page.waitForSelector('text=As it was then');
  await page.locator('text=As it was then').last().click();
  await page.waitForSelector('.timebar');
  await page.waitForSelector('text=Then and now');
  await settled(page);
  if (!page.url().includes('at=')) throw new Error('the time is not in the address');
  if ((await page.locator('text=Synchronise').count()) > 0 || (await page.locator('text=Edit regions').count()) > 0) throw new Error('the past offers a change');
  if (!(await page.textContent('.then-now')).includes('0 entries')) throw new Error('the rights are not those of then');

  // The arrow of the slider goes to the next record, its end to now's state.
  const first = page.url();
  await page.locator('[role=slider]').focus();
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction((old) => location.href !== old, first);
  await page.keyboard.press('End');
  await page.waitForSelector('.card:has-text("Then and now") >> text=0 of 6 differ');

  await page.goBack();
  await page.waitForSelector('text=As it was then');
  await page.goForward();
  await page.click('text=Back to now');
  await page.waitForSelector('.timebar', { state: 'detached' });
  await page.waitForSelector('text=Edit regions');

  // From the record of a change to the policy of before, as a draft for the key as it is now.
  const key = `/cckm/aws/keys/${world.keys['dispute-evidence'].id}`;
  const policyOf = async () => (await world.call('GET', key.slice(1))).aws_param.Policy;
  const before = await policyOf();
  const statement = { Sid: 'Too many', Effect: 'Allow', Principal: { AWS: '*' }, Action: 'kms:Decrypt', Resource: '*', Condition: { StringEquals: { 'kms:CallerAccount': '123456789012' } } };
  await world.call('POST', `${key.slice(1)}/policy`, { policy: { ...before, Statement: [...before.Statement, statement] } });
  const record = (await world.call('GET', `audit/records?resource=key/${world.keys['dispute-evidence'].id}&event=OperationDone&limit=1`)).resources[0].number;
  await page.goto(`${base}/audit/records?open=${record}`);
  await page.click('.panel a:has-text("Put the policy of before back…")');
  await page.waitForSelector('.timebar');
  await page.waitForSelector('text=Put it back');
  await settled(page);
  if ((await page.locator('.foot .ink, button:has-text("Difference")').count()) > 0) throw new Error('a policy of the past can be edited');
  await page.click('button:has-text("Begin a draft from this policy")');
  await page.waitForSelector('.timebar', { state: 'detached' });
  await page.waitForSelector('.difference .removed');
  await page.waitForSelector('.note.ok:has-text("No lockout.")', { timeout: 20_000 });
  if ((await page.locator('text=AWS has a newer policy').count()) > 0) throw new Error('the draft is said to be older than it is');
  await page.click('.foot .ink');
  await page.waitForSelector('.toast:has-text("is set in AWS")', { timeout: 20_000 });
  if (JSON.stringify(await policyOf()) !== JSON.stringify(before)) throw new Error(`AWS has ${JSON.stringify(await policyOf())}`);
  // It is the same again: there is nothing to put back.
  await page.goBack();
  await page.click('button:has-text("Begin a draft from this policy")');
  await page.waitForSelector('.toast:has-text("there is nothing to put back")');
}
