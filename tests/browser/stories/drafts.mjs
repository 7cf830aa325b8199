// Drafts: a look at the past loses none, and what was typed over an older version is never saved over a newer one.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'a draft survives a look at the past, and is not saved over what another one changed';

export async function run({ page, world }) {
  await signIn(page);

  // Rights that are not saved yet are there again after a look at the past.
  const kms = `/cckm/aws/kms/${world.payments.id}?tab=rights`;
  await page.goto(base + kms);
  await page.waitForSelector('.matrix [data-cell]');
  await settled(page);
  await page.locator('[aria-label^="auditors, keyrotate:"]').focus();
  await page.keyboard.press(' ');
  await page.waitForSelector('.rights-foot:has-text("1 change")');
  await page.goto(`${base}${kms}&at=${world.people.before}`);
  await page.waitForSelector('.timebar');
  await settled(page);
  await page.click('text=Back to now');
  await page.waitForSelector('.rights-foot:has-text("1 change")');
  await page.click('.rights-foot >> text=Discard');

  // A template that somebody else changes while it is edited.
  const template = await world.call('POST', 'cckm/aws/templates', { name: `edited-${Date.now()}`, kms: 'payments' });
  const path = `cckm/aws/templates/${template.id}`;
  const policy = (sid) => JSON.stringify({ Version: '2012-10-17', Statement: [{ Sid: sid, Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${template.account_id}:root` }, Action: 'kms:*', Resource: '*' }] });
  const saved = async () => JSON.stringify((await world.call('GET', path)).policy);
  await page.goto(`${base}/cckm/aws/templates?new=1&edit=${template.id}`);
  await page.fill('.editor textarea', policy('Mine'));
  await page.waitForFunction(() => JSON.stringify(sessionStorage).includes('Mine'));
  await world.call('PATCH', path, { policy: policy('Theirs') });
  await page.reload();
  await page.waitForSelector('text=Somebody else changed the template meanwhile');
  await page.click('text=Save the template');
  await page.waitForSelector('text=Your draft is kept. >> nth=1');
  if (!(await saved()).includes('Theirs')) throw new Error('an older draft was saved over a newer policy');
  await page.click('text=Go on with mine');
  await page.click('text=Save the template');
  await page.waitForSelector('[role=tablist]');
  if (!(await saved()).includes('Mine')) throw new Error('the draft was not saved');
  await world.call('DELETE', path);

  // Where no draft is kept, nothing else is said.
  const schedule = await world.call('POST', 'scheduler/job-configs', { name: `edited-${Date.now()}`, operation: 'cckm_synchronization', run_at: '15 2 * * *', disabled: true, cckm_synchronization_params: { cloud_name: 'aws', synchronize_all: true } });
  await page.goto(`${base}/scheduler/job-configs?new=1&edit=${schedule.id}`);
  await page.getByLabel('Description').fill('mine');
  await world.call('PATCH', `scheduler/job-configs/${schedule.id}`, { description: 'theirs' });
  await page.click('text=Save the schedule');
  await page.waitForSelector('.note:has-text("Copy what you typed")');
  if ((await world.call('GET', `scheduler/job-configs/${schedule.id}`)).description !== 'theirs') throw new Error('the change of another one was overwritten');
  await world.call('DELETE', `scheduler/job-configs/${schedule.id}`);
}
