// Users: one is created, has to change the first password, loses a group again; the acts are in the log.
import { asCall, base, settled, signIn } from '../browser.mjs';

export const title = 'a user is created with a made password, is put into a group, and is deleted by name';

/** Whether a text is anywhere: in the page, in a field, or in what the browser keeps. */
const knows = (page, text) => page.evaluate((wanted) => [document.documentElement.outerHTML, ...[...document.querySelectorAll('input, textarea')].map((field) => field.value), JSON.stringify([sessionStorage, localStorage])].some((one) => one.includes(wanted)), text);

export async function run({ page, world }) {
  const name = `story-${Date.now()}`;
  await signIn(page);
  await page.goto(`${base}/usermgmt/users?new=1`);
  await page.waitForSelector('form .checks label');
  await page.getByLabel('User name').fill(name);
  await page.click('text=Make one');
  const password = await page.getByLabel('First password').inputValue();
  if (password.length < 16) throw new Error('no password was made');
  const shown = await asCall(page);
  if (!shown.includes(`"username": "${name}"`) || shown.includes(password)) throw new Error(`the API menu shows ${shown}`);
  // The draft of the form has the name, and not the password.
  await page.waitForFunction((text) => JSON.stringify(sessionStorage).includes(text), name);
  if ((await page.evaluate(() => JSON.stringify([sessionStorage, localStorage]))).includes(password)) throw new Error('the password is in a draft');
  await page.click('button:has-text("Create the user")');
  await page.waitForSelector(`.panel h2:has-text("${name}")`);
  await settled(page);
  await page.waitForSelector('.panel >> text=New password due');
  await page.waitForSelector('.panel section >> text=CCKM Users');
  if (await knows(page, password)) throw new Error('the password is still in the page, or kept in the browser');
  const [user] = (await world.call('GET', `usermgmt/users?username=${name}`)).resources;
  if (!user.password_change_required || !user.groups.includes('CCKM Users')) throw new Error('the user is not as was asked');

  const policy = await world.call('POST', 'usermgmt/pwdpolicies', { policy_name: `${name}-rules` });
  await page.click('.panel [aria-label="Acts"]');
  await page.click('text=Edit the profile…');
  await page.getByLabel('Nickname').fill('Story');
  await page.getByLabel('Password policy').selectOption(policy.policy_name);
  await page.getByLabel('May sign in to the console').uncheck();
  await page.click('dialog button[type=submit]');
  await page.waitForSelector('dialog', { state: 'detached' });
  const edited = await world.call('GET', `usermgmt/users/${encodeURIComponent(user.user_id)}`);
  if (edited.nickname !== 'Story' || edited.password_policy !== policy.policy_name || !edited.login_flags.prevent_ui_login) throw new Error(`the profile is ${JSON.stringify(edited)}`);

  await page.click('.panel [aria-label="Acts"]');
  await page.click('text=Delete…');
  await page.waitForSelector('dialog');
  if ((await page.getAttribute('dialog button[type=submit]', 'aria-disabled')) !== 'true') throw new Error('it can be deleted without its name');
  await page.fill('#ask-name', name);
  await page.click('dialog button[type=submit]');
  await page.waitForSelector('.panel', { state: 'detached' });
  if ((await world.call('GET', `usermgmt/users?username=${name}`)).total !== 0) throw new Error('the user is still there');
  await world.call('DELETE', `usermgmt/pwdpolicies/${policy.policy_name}`);
  // Administrators come from a history to the records.
  await page.goto(`${base}/usermgmt/groups?open=CCKM%20Users`);
  await page.waitForSelector('.panel section:has(h3:has-text("Lately")) li:has-text("added a member")');
  await page.click('.panel [aria-label="Acts"]');
  await page.click('[role=menuitem]:has-text("Its history")');
  await page.waitForSelector('tbody tr td');
  await page.goto(`${base}/cckm/aws/kms/${world.payments.id}?tab=history`);
  await page.locator('td.num a').first().click();
  // The address of a record leads to the list of records, in which it is open.
  await page.waitForURL(/\/audit\/records\?open=\d+$/);
  await page.waitForSelector('.record');
}
