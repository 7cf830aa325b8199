// Two tabs of one browser: one session, one renewal for both, changes of one are said in the other, and so is a sign-out.
import { base, password, settled, signIn } from '../browser.mjs';
import { MEMBER } from '../seed.mjs';

export const title = 'two tabs renew once, say what the other changed, and keep what was typed when the other signs out';

export async function run({ page, context, world, wrong }) {
  const other = await context.newPage();
  other.on('pageerror', (error) => wrong.push(`error in a script: ${error.message}`));
  const tokens = [];
  context.on('request', (request) => request.method() === 'POST' && request.url().endsWith('/auth/tokens') && tokens.push(request.url()));
  await signIn(page);
  tokens.length = 0;

  // Both tokens are at their end, and both tabs ask at once.
  for (const tab of [page, other]) {
    await tab.goto(`${base}/vault/keys2`);
    await tab.waitForSelector('tbody tr a');
    await settled(tab);
  }
  tokens.length = 0;
  for (const tab of [page, other]) await tab.evaluate(() => { const now = Date.now; Date.now = () => now() + 290_000; });
  await Promise.all([page, other].map((tab) => tab.click(`th:has-text("Since") button`)));
  await Promise.all([page, other].map((tab) => tab.waitForSelector(`th:has-text("Since")[aria-sort="ascending"]`)));
  await settled(page);
  await settled(other);
  if (tokens.length !== 1) throw new Error(`two tabs renewed ${tokens.length} times`);

  // Rights: what the one saves is said in the other, which has changes of its own.
  const kms = `cckm/aws/kms/${world.identity.id}`;
  await world.call('POST', `${kms}/update-acls`, { acls: [{ group: 'auditors', actions: ['viewnative'], permit: true }] });
  const cell = (tab, action) => tab.locator(`[aria-label^="auditors, ${action}:"]`);
  for (const tab of [page, other]) {
    await tab.goto(`${base}/${kms}?tab=rights`);
    await cell(tab, 'keyrotate').waitFor();
    await settled(tab);
  }
  await cell(other, 'keycreate').focus();
  await other.keyboard.press(' ');
  await other.waitForSelector('.rights-foot:has-text("1 change")');
  await cell(page, 'keyrotate').focus();
  await page.keyboard.press(' ');
  await page.keyboard.press('Control+s');
  await page.waitForSelector('.rights-foot', { state: 'detached' });
  await other.waitForSelector('text=Somebody changed these rights meanwhile');
  await other.waitForSelector('.rights-foot:has-text("1 change")');
  await other.click('.rights-foot >> text=Discard');

  // A form: the older version is refused, and what was typed stays.
  const connection = 'connectionmgmt/services/aws/connections/dr-readonly';
  const about = (tab) => tab.getByLabel('Description');
  for (const tab of [page, other]) {
    await tab.goto(`${base}/${connection}?tab=settings`);
    await about(tab).waitFor();
    await settled(tab);
  }
  const [mine, theirs] = [`typed-${Date.now()}`, `saved-${Date.now()}`];
  await about(other).fill(mine);
  await about(page).fill(theirs);
  await page.click('text=Save the connection');
  await page.waitForSelector('.toast:has-text("is saved")');
  await other.click('text=Save the connection');
  await other.waitForSelector('text=Somebody else changed this meanwhile');
  if ((await about(other).inputValue()) !== mine) throw new Error('what was typed is lost');
  if ((await world.call('GET', connection)).description !== theirs) throw new Error('the newer version was overwritten');
  await other.click('text=Read it again');
  await about(other).waitFor();
  if ((await about(other).inputValue()) !== mine) throw new Error('the draft is lost');
  await other.click('text=Discard it');

  // One signs out: the other says so, shows nothing that can be read, and goes on for the same user.
  await other.goto(`${base}/vault/keys2?new=1`);
  const name = other.getByLabel('Name', { exact: true });
  await name.fill('typed-before-the-sign-out');
  await settled(other);
  await page.click('.me');
  await page.click('text=Sign out');
  await page.waitForSelector('#sign-in-name');
  await other.waitForSelector('dialog.sign-in-over:has-text("You signed out in another tab")');
  const behind = await other.evaluate(() => getComputedStyle(document.querySelector('dialog.sign-in-over'), '::backdrop').backgroundColor);
  if (!/^rgb\(/.test(behind)) throw new Error(`the page can be seen through ${behind}`);
  tokens.length = 0;
  await other.waitForTimeout(1500);
  if (tokens.length > 0) throw new Error(`a token was asked for ${tokens.length} times without a session`);
  await other.fill('dialog #sign-in-password', password);
  await other.click('dialog button[type=submit]');
  await other.waitForSelector('dialog', { state: 'detached' });
  if ((await name.inputValue()) !== 'typed-before-the-sign-out') throw new Error('what was typed is lost');

  // Another user who comes after a sign-out gets no draft, also if the page was loaded again in between.
  await page.goto(base);
  await page.waitForSelector('.me');
  await page.click('.me');
  await page.click('text=Sign out');
  await other.waitForSelector('dialog.sign-in-over');
  await other.reload();
  await other.waitForSelector('main.sign-in #sign-in-name');
  await other.fill('#sign-in-name', MEMBER.username);
  await other.fill('#sign-in-password', MEMBER.password);
  await other.click('button[type=submit]');
  await other.waitForSelector(`.me:has-text("${MEMBER.username}")`);
  if ((await other.evaluate(() => JSON.stringify(sessionStorage))).includes('typed-before')) throw new Error('the draft of the first user is left');
}
