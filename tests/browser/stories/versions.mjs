// What somebody else changed meanwhile is said, not overwritten: rights, the role of a KMS, a group. The page hears nothing of it here.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'rights, the role of a KMS and a group are not saved over a newer version';

export async function run({ page, world }) {
  const kms = `cckm/aws/kms/${world.payments.id}`;
  const others = (permit) => world.call('POST', `${kms}/update-acls`, { acls: [{ group: 'auditors', actions: ['keyrotate'], permit }] });
  const stale = (within) => page.waitForSelector(`${within}:has-text("Somebody else changed this meanwhile")`);
  await page.route('**/api/v1/events*', (route) => route.abort());
  await signIn(page);

  await page.goto(`${base}/${kms}?tab=rights`);
  await page.waitForSelector('.matrix [data-cell]');
  await settled(page);
  await page.locator('[aria-label^="auditors, keydelete:"]').focus();
  await page.keyboard.press(' ');
  await others(true);
  await page.click('.rights-foot [data-save] button');
  await stale('.rights-foot');
  if ((await world.call('GET', kms)).acls.find((one) => one.group === 'auditors')?.actions.includes('keydelete')) throw new Error('the rights were saved over newer ones');
  // Read again, the change is still there, and can be saved or dropped.
  await page.click('.rights-foot >> text=Read it again');
  await page.waitForSelector('.rights-foot:has-text("1 change")');
  await page.click('.rights-foot >> text=Discard');

  await page.click('[aria-label="More acts"]');
  await page.click('text=Role…');
  await page.fill('#kms-external', 'story');
  await others(false);
  await page.click('dialog button[type=submit]');
  await stale('dialog');
  await page.click('dialog button:has-text("Keep the present one")');

  const group = { name: `story-${Date.now()}`, description: 'first' };
  await world.call('POST', 'usermgmt/groups', group);
  await page.goto(`${base}/usermgmt/groups?open=${group.name}`);
  await page.waitForSelector('.panel h3');
  await settled(page);
  await page.click('.panel [aria-label="Acts"]');
  await page.click('text=Edit…');
  await page.fill('#group-text', 'mine');
  await world.call('PATCH', `usermgmt/groups/${group.name}`, { description: 'theirs' });
  await page.click('dialog button[type=submit]');
  await stale('dialog');
  if ((await world.call('GET', `usermgmt/groups/${group.name}`)).description !== 'theirs') throw new Error('the group was overwritten');
  await world.call('DELETE', `usermgmt/groups/${group.name}`);
}
