// A key store is edited; nothing newer is overwritten. Stores that were made in AWS are found. Its credentials are put under a schedule and taken off.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'a key store is edited with a dry run and its version, found again at AWS, and put under a schedule and off it';
// The address that is refused on purpose.
export const allows = ['must be `https://` and a host'];

export async function run({ page, calls, world }) {
  const { call, store } = world;
  await page.route('**/api/v1/events*', (route) => route.abort());
  const name = `edited-${Date.now()}`;
  const made = await call('POST', 'cckm/aws/custom-key-stores', { name, kms: 'payments', region: 'eu-central-1', aws_param: { xks_proxy_uri_endpoint: 'https://xks.lab.internal' }, local_hosted_params: { health_check_key_id: store.local_hosted_params.health_check_key_id, max_credentials: 8 } });
  const path = `cckm/aws/custom-key-stores/${made.id}`;
  const label = (text) => `.field:has(label:has-text("${text}")) input`;
  await signIn(page);
  await page.goto(`${base}/${path}`);
  await page.click('.actions button:has-text("Edit")');
  await page.waitForSelector('h2, form .form');
  await settled(page);
  // A refusal is at its field.
  await page.fill(label('Address'), 'ftp://nowhere');
  await page.click('[data-save] button');
  await page.waitForSelector('.field:has(label:has-text("Address")) .error');
  await page.fill(label('Address'), 'https://xks2.lab.internal');
  await page.fill(label('Name'), `${name}-b`);
  await page.click('.check:has-text("Record calls that were served")');
  await page.click('[data-dry] button');
  await page.waitForSelector('.note:has-text("Nothing was changed")');
  if ((await call('GET', path)).name !== name) throw new Error('the dry run changed the store');
  await page.click('[data-save] button');
  await page.waitForSelector(`h1:has-text("${name}-b")`);
  const now = await call('GET', path);
  if (now.aws_param.xks_proxy_uri_endpoint !== 'https://xks2.lab.internal' || !now.enable_success_audit_event) throw new Error('not all was saved');
  // What somebody else changed meanwhile is not overwritten.
  await settled(page);
  await call('PATCH', path, { name: `${name}-theirs` });
  await page.fill(label('Name'), `${name}-mine`);
  await page.click('[data-save] button');
  await page.waitForSelector('form:has-text("Somebody else changed this meanwhile")');
  if ((await call('GET', path)).name !== `${name}-theirs`) throw new Error('the store was overwritten');
  await call('DELETE', path);

  // The credentials of the linked store: under a schedule, and off it.
  const schedule = await call('POST', 'scheduler/job-configs', { name: `xks-${Date.now()}`, operation: 'cckm_xks_credential_rotation', run_at: '0 4 1 * *', cckm_xks_credential_rotation_params: { cloud_name: 'aws' } });
  await page.goto(`${base}/cckm/aws/custom-key-stores/${store.id}?tab=credentials`);
  await page.click('text=By a schedule…');
  await page.selectOption('#store-schedule', schedule.id);
  await page.click('dialog button[type=submit]');
  await page.waitForSelector(`.card-foot:has-text("Rotated by ${schedule.name}, next")`);
  await page.click('text=Take off the schedule');
  await page.waitForSelector('text=By a schedule…');
  if ((await call('GET', `cckm/aws/custom-key-stores/${store.id}`)).labels.job_config_id) throw new Error('the store is still under the schedule');
  await call('DELETE', `scheduler/job-configs/${schedule.id}`);

  // The tray asks for jobs of key stores only once one was begun here.
  const asked = () => calls.some((one) => one.method === 'GET' && one.path.startsWith('/cckm/aws/custom-key-stores/synchronization-jobs'));
  await page.goto(`${base}/cckm/aws/custom-key-stores`);
  await page.waitForSelector('tbody tr a');
  if (asked()) throw new Error('the tray asks for jobs that nobody began');
  await page.click('.actions button:has-text("Synchronise")');
  await page.selectOption('#sync-kms', 'payments');
  await page.click('dialog button[type=submit]');
  await page.waitForSelector('dialog', { state: 'detached' });
  await page.click('.topbar button[aria-label$="run"]');
  await page.waitForSelector('.popup:has-text("Synchronise the key stores of payments")');
  await page.goto(`${base}/jobs?tab=stores`);
  await page.waitForSelector('tbody tr:has-text("the key stores of payments")');
}
