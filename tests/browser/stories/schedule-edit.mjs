// A schedule is changed: what the form does not touch stays, and what is emptied is cleared.
import { base, signIn } from '../browser.mjs';

export const title = 'an edit of a schedule sends what differs alone; an emptied condition is cleared';

export async function run({ page, world }) {
  const { call } = world;
  const at = Date.now();
  const make = async (operation, params, more = {}) => (await call('POST', 'scheduler/job-configs', { name: `${operation}-${at}`, operation, run_at: '0 4 1 * *', disabled: true, [`${operation}_params`]: params, ...more })).id;
  const read = (id) => call('GET', `scheduler/job-configs/${id}`);
  const edit = async (id) => {
    await page.goto(`${base}/scheduler/job-configs?new=1&edit=${id}`);
    await page.waitForSelector('form.page');
  };
  const body = async () => {
    const sent = page.waitForRequest((request) => request.method() === 'PATCH');
    await page.click('.foot .ink');
    const given = (await sent).postDataJSON();
    await page.waitForSelector('.panel .cron');
    return JSON.stringify(given);
  };
  const equal = (what, is, should) => {
    if (JSON.stringify(is) !== JSON.stringify(should)) throw new Error(`${what}: ${JSON.stringify(is)}, not ${JSON.stringify(should)}`);
  };
  await signIn(page);

  // Both KMSs stay when the description alone is changed.
  const two = await make('cckm_synchronization', { kms: ['payments', 'identity'] });
  const both = [world.payments.id, world.identity.id].sort();
  await edit(two);
  await page.waitForSelector('.checks:has-text("identity")');
  equal('the ticked KMSs', await page.locator('.checks input:checked').count(), 2);
  await page.fill('textarea', 'Both of them');
  equal('the call', await body(), '{"description":"Both of them"}');
  // The panel tells its past.
  await page.waitForSelector('.panel section:has(h3:has-text("Lately")) >> text=changed the schedule');
  const now = await read(two);
  equal('the KMSs', [...now.cckm_synchronization_params.kms].sort(), both);
  equal('the description', now.description, 'Both of them');

  // One is taken away; none is refused before it is sent, since the server would keep those that it has.
  await edit(two);
  await page.click('.checks label:has-text("identity")');
  await page.click('.checks label:has-text("payments")');
  await page.click('.foot .ink');
  await page.waitForSelector('.error:has-text("Choose at least one KMS")');
  await page.click('.checks label:has-text("payments")');
  equal('the call', await body(), `{"cckm_synchronization_params":{"kms":["${world.payments.id}"]}}`);
  await edit(two);
  if (await page.locator('[aria-pressed=true]:has-text("All KMSs")').count()) throw new Error('a schedule of one KMS shows all KMSs');

  // A condition is cleared, and so is an end; the rest stays.
  const rotation = await make('cckm_key_rotation', { rotation_after: '80d', expire_in: '30d', aws_param: { rotate_material: true } }, { end_date: '2031-05-06T07:08:09Z' });
  await edit(rotation);
  await page.locator('label:has-text("older than")').locator('..').locator('input').fill('');
  equal('the call', await body(), '{"cckm_key_rotation_params":{"rotation_after":""}}');
  const rotated = await read(rotation);
  equal('the condition', [rotated.cckm_key_rotation_params.rotation_after, rotated.cckm_key_rotation_params.expire_in, rotated.end_date?.slice(0, 19)], [undefined, '30d', '2031-05-06T07:08:09']);
  await edit(rotation);
  await page.locator('label:has-text("End")').locator('..').locator('input').fill('');
  await page.locator('label:has-text("Start")').locator('..').locator('input').fill('2030-01-02T03:04');
  await body();
  const dated = await read(rotation);
  equal('start and end', [dated.start_date?.slice(0, 19), dated.end_date], ['2030-01-02T03:04:00', undefined]);

  // A watch has its KMS; a backup keeps its own description.
  const watch = await make('cckm_drift_watch', { kms: 'identity', log_group: 'trail', log_group_region: 'eu-west-1' });
  await edit(watch);
  const chosen = page.locator('label:text-is("KMS")').locator('..').locator('select');
  await chosen.locator('option:has-text("identity")').waitFor({ state: 'attached' });
  equal('the KMS of the watch', await chosen.inputValue(), world.identity.id);
  await page.locator('label:has-text("Minutes to read again")').locator('..').locator('input').fill('90');
  equal('the call', await body(), '{"cckm_drift_watch_params":{"overlap_minutes":90}}');
  const backup = await make('database_backup', { description: 'kept', retentionCount: 4 });
  await edit(backup);
  await page.fill('textarea', 'of the schedule');
  await page.locator('label:has-text("to keep")').locator('..').locator('input').fill('7');
  await body();
  const backed = await read(backup);
  equal('the backup', [backed.description, backed.database_backup_params.description, backed.database_backup_params.retentionCount], ['of the schedule', 'kept', 7]);
  for (const id of [two, rotation, watch, backup]) await call('DELETE', `scheduler/job-configs/${id}`);
}
