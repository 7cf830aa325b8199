// Rights on a KMS: changed by the keyboard, tried dry, saved as one call; what another one changed meanwhile is said, not overwritten.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'rights are changed in the table by keyboard, tried, and saved as one change';

export async function run({ page, calls, world }) {
  const acls = async () => (await world.call('GET', `cckm/aws/kms/${world.payments.id}`)).acls;
  const has = async (group, action) => (await acls()).find((one) => one.group === group)?.actions.includes(action) ?? false;
  await signIn(page);
  await page.goto(`${base}/cckm/aws/kms/${world.payments.id}?tab=rights`);
  await page.waitForSelector('.matrix [data-cell]');
  await settled(page);
  const cell = (who, action) => page.locator(`[aria-label^="${who}, ${action}:"]`);

  // Space changes, an arrow moves; nothing is sent yet.
  await cell('auditors', 'keyrotate').focus();
  calls.length = 0;
  await page.keyboard.press(' ');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press(' ');
  await page.waitForSelector('.rights-foot:has-text("2 changes")');
  if (!(await page.textContent('.rights-foot')).includes('auditors gains keyrotate and keydelete')) throw new Error('the foot does not say what changes');
  if (calls.some((call) => call.method === 'POST')) throw new Error('a change was sent before it was saved');

  await page.click('.rights-foot >> text=Dry run');
  await page.waitForSelector('.rights-foot:has-text("Nothing was changed")');
  if (await has('auditors', 'keyrotate')) throw new Error('the dry run changed something');

  // Somebody else changes the same rights: said, and both stay.
  await world.call('POST', `cckm/aws/kms/${world.payments.id}/update-acls`, { acls: [{ group: 'CCKM Users', actions: ['viewbyok'], permit: true }] });
  await page.reload();
  await page.waitForSelector('text=Somebody changed these rights meanwhile');
  await page.waitForSelector('.rights-foot:has-text("2 changes")');

  calls.length = 0;
  await page.keyboard.press('Control+s');
  await page.waitForSelector('.rights-foot', { state: 'detached' });
  const sent = calls.filter((call) => call.method === 'POST');
  if (sent.length !== 1 || !sent[0].path.endsWith('/update-acls')) throw new Error(`saved by ${sent.map((call) => call.path).join(', ')}`);
  if (!(await has('auditors', 'keyrotate')) || !(await has('auditors', 'keydelete')) || !(await has('CCKM Users', 'viewbyok'))) throw new Error('what was saved is not there, or something was overwritten');

  // Back as it was, so that the story can run again.
  await world.call('POST', `cckm/aws/kms/${world.payments.id}/update-acls`, { acls: [{ group: 'auditors', actions: ['keyrotate', 'keydelete'], permit: false }, { group: 'CCKM Users', actions: ['viewbyok'], permit: false }] });
}
