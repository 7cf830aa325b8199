// A member with `viewnative` sees native keys, and nothing that is not hers.
import { base, settled, signIn } from '../browser.mjs';
import { MEMBER } from '../seed.mjs';

export const title = 'a member sees exactly what she may';

export async function run({ page, world }) {
  await signIn(page, MEMBER.username, MEMBER.password);
  await settled(page);
  const nav = await page.locator('.sidebar nav a').allTextContents();
  for (const shown of ['Overview', 'Keys', 'Key stores', 'KMSs', 'Schedules', 'Jobs', 'Posture']) if (!nav.some((text) => text.includes(shown))) throw new Error(`${shown} is not shown`);
  for (const hidden of ['Audit log', 'Users and groups', 'Connections']) if (nav.some((text) => text.includes(hidden))) throw new Error(`${hidden} is shown`);
  await page.goto(`${base}/cckm/aws/keys`);
  await page.waitForSelector('tbody tr a');
  await settled(page);
  if ((await page.locator('tbody .chip.byok').count()) > 0) throw new Error('keys of other origins are shown');
  await page.goto(`${base}/cckm/aws/keys/${world.keys['card-vault'].id}`);
  await page.waitForSelector('text=or it is not yours to see');
  await page.goto(`${base}/cckm/aws/keys/${world.keys.cards.id}`);
  await page.waitForSelector('[role=tablist]');
  await settled(page);
  const act = page.locator('.actions button:has-text("Schedule deletion")');
  if ((await act.getAttribute('aria-disabled')) !== 'true') throw new Error('an act without the right is offered');
  if (!(await act.getAttribute('data-tip')).includes('keydelete')) throw new Error('the missing right is not named');
  // An act that is a link is none without the right.
  await page.goto(`${base}/scheduler/job-configs`);
  await page.click('tbody tr:has-text("quarterly-byok")');
  await page.click('.panel button[aria-label="More acts"]');
  const edit = page.locator('[role=menuitem]:has-text("Edit")');
  if ((await edit.getAttribute('aria-disabled')) !== 'true' || (await edit.getAttribute('href')) !== null) throw new Error('an act without the right is a link');
  // The history of a key names its records, which only administrators can open.
  await page.goto(`${base}/cckm/aws/keys/${world.keys.cards.id}?tab=history`);
  await page.waitForSelector('td.num:has-text("#")');
  if ((await page.locator('td.num a').count()) > 0) throw new Error('records of the log are links for a member');
}
