// One's own sessions: another one is ended from the account, then all others at once; this one stays.
import { base, open, settled, signIn } from '../browser.mjs';

export const title = 'other sessions are ended, one and then all; this one stays';

const PASSWORD = 'Lab-user-2026-pass';

export async function run({ page, world }) {
  const username = `sessions-${Date.now()}`;
  const made = await world.call('POST', 'usermgmt/users', { username, password: PASSWORD });
  const others = [];
  for (let i = 0; i < 3; i += 1) {
    others.push(await open());
    await signIn(others[i].page, username, PASSWORD);
  }
  await signIn(page, username, PASSWORD);
  await page.goto(`${base}/auth/self/user`);
  const rows = page.locator('.sessions > li');
  const become = (count) => page.waitForFunction((wanted) => document.querySelectorAll('.sessions > li').length === wanted, count).catch(async () => { throw new Error(`${await rows.count()} sessions are shown, not ${count}`); });
  await become(4);
  const mine = page.locator('.sessions > li:has-text("this one")');
  if ((await mine.count()) !== 1 || (await mine.locator('button').count()) !== 0) throw new Error('this session is not told from the others');
  await rows.nth(1).locator('button:has-text("End it")').click();
  await become(3);

  await page.click('text=Sign out everywhere else…');
  await page.waitForSelector('dialog:has-text("Every other session of yours ends at once")');
  // The safe way has the focus.
  await page.keyboard.press('Enter');
  await page.waitForSelector('dialog', { state: 'detached' });
  await become(3);
  await page.click('text=Sign out everywhere else…');
  await page.click('dialog button[type=submit]');
  await page.waitForSelector('dialog', { state: 'detached' });
  await become(1);
  await page.reload();
  await page.waitForSelector('.sessions');
  await settled(page);
  for (const other of others) {
    await other.page.reload();
    await other.page.waitForSelector('#sign-in-name');
    await other.close();
  }
  await world.call('DELETE', `usermgmt/users/${made.user_id}`);
}
