// One field for both questions: a key says who may use it, a principal what it may use, and how.
import { settled, signIn } from '../browser.mjs';

export const allows = ['refused as wrong'];
export const title = 'a key says who may use it; the ARN of a role says which keys it may use, and how';

export async function run({ page, world, calls }) {
  const role = `arn:aws:iam::${world.keys.cards.account_id}:role/statements-reader`;
  const total = (await world.call('GET', `cckm/aws/access?principal=${encodeURIComponent(role)}&limit=1`)).total;
  await signIn(page);
  const field = page.getByLabel('A key, or the ARN of a user or role');
  const ask = async (text) => { await field.fill(text); await field.press('Enter'); };
  await ask('cards');
  await page.waitForSelector('.answers >> text=IAM decides');

  await ask(role);
  await page.waitForSelector('.answers >> text=role statements-reader');
  await page.waitForSelector(`.answers >> text=${total} keys`);
  await page.waitForSelector('.answers li:has(a) >> text=if its own policies in IAM allow it');
  const shown = () => page.locator('.answers li:has(a)').count();
  const few = await shown();
  await page.click('text=/Show more, \\d+ are left/');
  await page.waitForFunction((count) => document.querySelectorAll('.answers li a').length > count, few);
  await settled(page);
  if ((await shown()) !== Math.min(total, few + 50)) throw new Error(`${await shown()} of ${total} keys are shown`);
  if (calls.filter((call) => call.path.startsWith('/cckm/aws/access?')).length !== 2) throw new Error('it was asked more often than the answer was shown');
  // A role that does not exist for AWS, in an account without keys here.
  await ask('arn:aws:iam::210987654321:role/nobody');
  await page.waitForSelector('.answers >> text=may use no key');
  await ask('arn:aws:iam::12:role/x');
  await page.waitForSelector('.note.danger:has-text("the ARN of a user")');
  await ask(role);
  await page.waitForSelector('.answers >> text=role statements-reader');
  await page.click('.answers li a >> nth=0');
  await page.waitForSelector('[role=tab][aria-selected=true]:has-text("Who may use it")');
}
