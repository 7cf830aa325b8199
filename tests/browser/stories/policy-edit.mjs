// A policy is edited with a mistake, then right.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'a mistake in a policy is named by line and column; the right one is set in AWS';

export async function run({ page, world }) {
  const key = world.keys['refunds-queue'];
  await signIn(page);
  await page.goto(`${base}/cckm/aws/keys/${key.id}?tab=policy`);
  await page.waitForSelector('text=Who');
  await page.click('button:has-text("JSON")');
  const editor = page.locator('.editor textarea');
  const policy = JSON.parse(await editor.inputValue());
  const broken = JSON.stringify(policy, null, 2).replace('"Statement": [', '"Statement": [,');
  const before = broken.slice(0, broken.indexOf('[,') + 1).split('\n');
  await editor.fill(broken);
  await page.waitForSelector(`text=Line ${before.length}, column ${before.at(-1).length + 1}`);
  if ((await page.locator('.foot .ink').getAttribute('aria-disabled')) !== 'true') throw new Error('a broken policy can be saved');
  // What was typed is there after a reload.
  await page.reload();
  await page.click('button:has-text("JSON")');
  if (!(await editor.inputValue()).includes('[,')) throw new Error('the draft is lost');

  policy.Statement.push({ Sid: 'Readers', Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${key.account_id}:root` }, Action: 'kms:DescribeKey', Resource: '*' });
  await editor.fill(JSON.stringify(policy, null, 2));
  await page.click('button:has-text("Difference")');
  await page.waitForSelector('.difference .added');
  await settled(page);
  await page.click('.foot .ink');
  await page.waitForSelector('.toast:has-text("is set in AWS")', { timeout: 20_000 });
  const now = await world.call('GET', `cckm/aws/keys/${key.id}`);
  if (!JSON.stringify(now.aws_param.Policy).includes('Readers')) throw new Error('AWS does not have the policy');
}
