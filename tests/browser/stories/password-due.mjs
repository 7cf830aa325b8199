// A password that must be changed: the sign-in asks for one of one's own, says what is wrong with it, and signs in with it.
import { base, password, settled, signIn } from '../browser.mjs';

export const title = 'a first password is changed at the sign-in, and the new one signs in';

export async function run({ page, world }) {
  const username = `due-${Date.now()}`;
  const [first, own] = ['Lab-first-2026-pass', 'Lab-own-2026-secret'];
  const made = await world.call('POST', 'usermgmt/users', { username, password: first, password_change_required: true });
  await page.goto(base);
  await page.fill('#sign-in-name', username);
  await page.fill('#sign-in-password', first);
  await page.click('button[type=submit]');
  await page.waitForSelector('h1:has-text("A password of your own")');
  // It is asked for at once: the present one was typed already.
  if ((await page.evaluate(() => document.activeElement?.id)) !== 'sign-in-next') throw new Error('the new password has not the focus');
  if ((await page.inputValue('#sign-in-password')) !== first) throw new Error('the present password must be typed again');
  const answer = async (next, repeat, said) => {
    await page.fill('#sign-in-next', next);
    await page.fill('#sign-in-repeat', repeat);
    await page.click('button[type=submit]');
    await page.waitForSelector(`.note.danger:has-text("${said}")`);
  };
  await answer(own, `${own}x`, 'differ');
  await answer('short', 'short', 'at least');
  await page.fill('#sign-in-next', own);
  await page.fill('#sign-in-repeat', own);
  await page.click('button[type=submit]');
  await page.waitForSelector('.frame');
  await settled(page);
  if ((await world.call('GET', `usermgmt/users/${made.user_id}`)).password_change_required) throw new Error('the password is still due');
  await world.call('DELETE', `usermgmt/users/${made.user_id}`);
}
