// What somebody else changed meanwhile is said, not overwritten: rights, the role of a KMS, a group. The page hears nothing of it here.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'rights, a role, a group, a description, a policy, a schedule and a webhook are not saved over a newer version';

export async function run({ page, world }) {
  const kms = `cckm/aws/kms/${world.payments.id}`;
  const others = (permit) => world.call('POST', `${kms}/update-acls`, { acls: [{ group: 'auditors', actions: ['keyrotate'], permit }] });
  const stale = (within) => page.waitForSelector(`${within}:has-text("Somebody else changed this meanwhile")`);
  await page.route('**/api/v1/events*', (route) => route.abort());
  await signIn(page);

  await page.goto(`${base}/${kms}?tab=rights`);
  await page.waitForSelector('.matrix [data-cell]');
  await settled(page);
  await page.locator('[aria-label^="auditors, keydelete:"]').focus();
  await page.keyboard.press(' ');
  await others(true);
  await page.click('.rights-foot [data-save] button');
  await stale('.rights-foot');
  if ((await world.call('GET', kms)).acls.find((one) => one.group === 'auditors')?.actions.includes('keydelete')) throw new Error('the rights were saved over newer ones');
  // Read again, the change is still there, and can be saved or dropped.
  await page.click('.rights-foot >> text=Read it again');
  await page.waitForSelector('.rights-foot:has-text("1 change")');
  await page.click('.rights-foot >> text=Discard');

  await page.click('[aria-label="More acts"]');
  await page.click('text=Role…');
  await page.fill('#kms-external', 'story');
  await others(false);
  await page.click('dialog button[type=submit]');
  await stale('dialog');
  await page.click('dialog button:has-text("Keep the present one")');

  const group = { name: `story-${Date.now()}`, description: 'first' };
  await world.call('POST', 'usermgmt/groups', group);
  await page.goto(`${base}/usermgmt/groups?open=${group.name}`);
  await page.waitForSelector('.panel h3');
  await settled(page);
  await page.click('.panel [aria-label="Acts"]');
  await page.click('text=Edit…');
  await page.fill('#group-text', 'mine');
  await world.call('PATCH', `usermgmt/groups/${group.name}`, { description: 'theirs' });
  await page.click('dialog button[type=submit]');
  await stale('dialog');
  if ((await world.call('GET', `usermgmt/groups/${group.name}`)).description !== 'theirs') throw new Error('the group was overwritten');
  await world.call('DELETE', `usermgmt/groups/${group.name}`);

  // A password policy has no version: what another one changed meanwhile is not sent.
  const rules = { policy_name: `story-${Date.now()}`, inclusive_min_total_length: 12, password_lifetime: 90 };
  await world.call('POST', 'usermgmt/pwdpolicies', rules);
  await page.goto(`${base}/usermgmt/pwdpolicies?open=${rules.policy_name}`);
  await page.getByLabel('Good for').fill('60');
  await world.call('PATCH', `usermgmt/pwdpolicies/${rules.policy_name}`, { inclusive_min_total_length: 16 });
  await page.click('.panel button:has-text("Save the policy")');
  await page.waitForSelector('.toast:has-text("is saved")');
  const saved = await world.call('GET', `usermgmt/pwdpolicies/${rules.policy_name}`);
  if (saved.password_lifetime !== 60 || saved.inclusive_min_total_length !== 16) throw new Error(`the password policy is ${JSON.stringify(saved)}`);
  await world.call('DELETE', `usermgmt/pwdpolicies/${rules.policy_name}`);

  // The description of a key, and the policy that a template gives it.
  const key = `cckm/aws/keys/${world.keys.cards.id}`;
  const describe = (Description) => world.call('POST', `${key}/update-description`, { description: Description });
  const beginOn = async (act) => {
    await page.goto(`${base}/${key}`);
    await page.waitForSelector('.actions button');
    await settled(page);
    await page.click('.actions [aria-label="More acts"]');
    await page.click(`[role=menuitem]:has-text("${act}")`);
    await page.waitForSelector('dialog');
  };
  await beginOn('Describe');
  await page.fill('#key-description', 'mine');
  await describe(`theirs ${Date.now()}`);
  await page.click('dialog button[type=submit]');
  await stale('dialog');
  if ((await world.call('GET', key)).aws_param.Description === 'mine') throw new Error('the description was overwritten');
  await beginOn('Apply a policy template');
  await page.waitForSelector('#key-template');
  await describe(`theirs ${Date.now()}`);
  await page.click('dialog button[type=submit]');
  await stale('dialog');

  // What is switched off is what is shown.
  const shut = async () => {
    await page.waitForSelector('dialog:has-text("Somebody else changed this meanwhile")');
    await page.click('dialog button:has-text("Close")');
  };
  const schedule = await world.call('POST', 'scheduler/job-configs', { name: `story-${Date.now()}`, operation: 'cckm_key_rotation', run_at: '0 3 2 * *', cckm_key_rotation_params: { cloud_name: 'aws', aws_param: { rotate_material: true } } });
  await page.goto(`${base}/scheduler/job-configs?open=${schedule.id}`);
  await page.waitForSelector('.panel .cron');
  await settled(page);
  await world.call('PATCH', `scheduler/job-configs/${schedule.id}`, { description: 'theirs' });
  await page.click('.panel [aria-label="More acts"]');
  await page.click('text=Switch off');
  await shut();
  // Switched off and on again by the toast: each of the version that the one before made.
  await page.goto(`${base}/scheduler/job-configs?open=${schedule.id}`);
  await page.click('.panel [aria-label="More acts"]');
  await page.click('text=Switch off');
  await page.click('.toasts button:has-text("Undo")');
  await page.waitForSelector('text=Undone');
  await world.call('DELETE', `scheduler/job-configs/${schedule.id}`);
  const hook = await world.call('POST', 'alarms/webhooks', { name: `story-${Date.now()}`, url: 'https://hooks.example.org/claviger' });
  await page.goto(`${base}/alarms?tab=webhooks`);
  await page.waitForSelector(`tr:has-text("${hook.name}")`);
  await settled(page);
  await world.call('PATCH', `alarms/webhooks/${hook.id}`, { name: `${hook.name}-theirs` });
  await page.click(`[aria-label="Acts on ${hook.name}"]`);
  await page.click('text=Switch off');
  await shut();
  await world.call('DELETE', `alarms/webhooks/${hook.id}`);
}
