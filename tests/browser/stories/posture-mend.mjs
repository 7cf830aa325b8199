// A finding is mended where it is shown: the keys that nothing rotates are put under a schedule.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'the keys of a finding are shown further and put under a schedule, all of them';

export async function run({ page, world }) {
  const { call } = world;
  const tag = `mend-${Date.now()}`;
  for (let i = 0; i < 12; i += 1) await call('POST', 'cckm/aws/keys', { kms: 'payments', region: 'us-east-1', aws_param: { Alias: `${tag}-${i}` } });
  const schedule = await call('POST', 'scheduler/job-configs', { name: tag, operation: 'cckm_key_rotation', run_at: '0 3 1 1 *', cckm_key_rotation_params: { cloud_name: 'aws' } });
  const broken = async () => (await call('GET', 'cckm/aws/posture/findings/no_schedule?kms=payments&limit=1')).total;
  const before = await broken();
  await signIn(page);
  await page.goto(`${base}/cckm/aws/posture?kms=payments&open=no_schedule`);
  await page.waitForSelector('.broken li:nth-child(10)');
  await page.click('button:has-text("Show more")');
  await page.waitForFunction((wanted) => document.querySelectorAll('.broken li').length === wanted, Math.min(before, 60));
  await page.click(`button:has-text("Put ${before} keys under a schedule")`);
  await page.getByLabel('Schedule', { exact: true }).selectOption(schedule.id);
  await page.click('dialog button:has-text("Put them under the schedule")');
  await page.waitForFunction(() => !document.querySelector('.tool.busy') && !document.querySelector('dialog'), null, { timeout: 60_000 });
  await settled(page);
  // Those that a schedule cannot rotate stay as they are, and the job says why.
  const under = (await call('GET', `cckm/aws/keys?job_config_id=${schedule.id}&limit=1`)).total;
  const job = (await call('GET', 'cckm/aws/bulkjob?sort=-createdAt&limit=1')).resources[0];
  if (under < 12 || job.keys_count !== before || under + job.keys_failed !== before) throw new Error(`${under} of ${before} keys are under the schedule; the job had ${job.keys_count} and failed ${job.keys_failed}`);
  await page.waitForFunction((left) => (left === 0 ? !document.querySelector('.broken li') : document.querySelectorAll('.broken li').length === Math.min(left, 60)), before - under, { timeout: 15_000 });

  // As before, for the other stories.
  const undone = await call('POST', 'cckm/aws/bulkjob', { filter: `job_config_id=${schedule.id}`, operation: 'disablerotationjob' });
  for (let i = 0; i < 100 && (await call('GET', `cckm/aws/bulkjob/${undone.id}`)).overall_status === 'in_progress'; i += 1) await new Promise((wait) => setTimeout(wait, 200));
  await call('DELETE', `scheduler/job-configs/${schedule.id}`);
}
