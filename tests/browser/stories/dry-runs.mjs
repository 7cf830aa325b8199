// What destroys or disturbs can be tried first: the dry run says what would happen, and changes nothing.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'acts that destroy or disturb have a dry run, which changes nothing; that of a bulk job says why keys are refused';

export async function run({ page, calls, world }) {
  const { call } = world;
  const user = await call('POST', 'usermgmt/users', { username: `tried-${Date.now()}`, password: 'Lab-user-2026-pass' });
  const [schedule] = (await call('GET', 'scheduler/job-configs?name=nightly-sync')).resources;
  const store = `cckm/aws/custom-key-stores/${world.store.id}`;
  const tried = [
    [store, '.store-switch .block', null],
    [store, '.actions button:has-text("Disconnect")', null],
    [store, '.actions [aria-label="More acts"]', 'Delete…'],
    [`cckm/aws/templates/${world.template.id}`, '.actions .danger', null],
    [`scheduler/job-configs?open=${schedule.id}`, '.panel [aria-label="More acts"]', 'Delete…'],
    [`usermgmt/users?open=${encodeURIComponent(user.user_id)}`, '.panel [aria-label="Acts"]', 'Delete…'],
    [`cckm/aws/keys/${world.held.id}`, '.actions button:has-text("Block")', null],
  ];
  await signIn(page);
  for (const [path, first, then] of tried) {
    await page.goto(`${base}/${path}`);
    await page.waitForSelector(first);
    await settled(page);
    await page.click(first);
    if (then) await page.click(`[role=menuitem]:has-text("${then}")`);
    calls.length = 0;
    await page.click('dialog button:has-text("Dry run")');
    await page.waitForSelector('dialog .note');
    const made = calls.filter((one) => one.method !== 'GET');
    if (made.length !== 1 || !made[0].path.includes('dry_run=true')) throw new Error(`${path}, ${first}: ${made.map((one) => `${one.method} ${one.path}`).join(', ')}`);
    await page.keyboard.press('Escape');
  }
  const still = await call('GET', store);
  if (still.local_hosted_params.blocked || still.aws_param.connection_state !== 'CONNECTED') throw new Error('a dry run changed the store');
  await call('GET', `usermgmt/users/${encodeURIComponent(user.user_id)}`);
  await call('GET', `scheduler/job-configs/${schedule.id}`);
  await call('DELETE', `usermgmt/users/${encodeURIComponent(user.user_id)}`);

  // The template is of another account than one of the two keys.
  const { cards, payroll, 'fraud-features': other } = world.keys;
  await page.goto(`${base}/cckm/aws/keys?id=${cards.id}&id=${payroll.id}&id=${other.id}`);
  await page.waitForSelector('tbody tr:nth-child(3) a');
  await settled(page);
  await page.click('thead .box');
  await page.click('.bulk button:has-text("Apply template")');
  await page.selectOption('#bulk-template', world.template.id);
  calls.length = 0;
  await page.click('dialog button:has-text("Dry run")');
  await page.waitForSelector('dialog .note:has-text("own checks allow it for 2 of 3 keys.")');
  await page.waitForSelector('dialog .note li:has-text("alias/fraud-features:")');
  if (calls.some((one) => one.method === 'POST' && !one.path.includes('dry_run=true'))) throw new Error('a job was begun');
  await page.screenshot({ path: new URL('../../../target/screenshots/bulk-dry-run.png', import.meta.url).pathname });
}
