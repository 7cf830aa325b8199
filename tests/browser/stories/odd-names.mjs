// Names with markup, quotes and text from right to left are shown as text, and run nowhere: in lists, pages, panels, dialogs, the
// palette and the audit log.
import { base, settled, signIn } from '../browser.mjs';
import { LONGEST } from '../seed.mjs';

export const title = 'markup in names is text everywhere; the longest name breaks no page';

export async function run({ page, world }) {
  const odd = `<img src=x onerror=alert(1)> "it's" 🗝 ${Date.now()}`;
  const path = encodeURIComponent;
  let ran = false;
  page.on('dialog', (dialog) => {
    ran = true;
    dialog.dismiss();
  });
  const clean = async (where, shows = true) => {
    if (shows) await page.locator('body').getByText('onerror=alert').filter({ visible: true }).first().waitFor({ timeout: 15_000 }).catch(() => { throw new Error(`${where} does not show the name`); });
    await settled(page);
    if (ran || (await page.locator('img').count()) > 0) throw new Error(`markup of a name was run: ${where}`);
    if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth + 1)) throw new Error(`${where} is wider than the window`);
  };
  const make = async (list, body) => ({ list, ...(await world.call('POST', list, { name: odd, description: odd, ...body })) });
  const source = await make('vault/keys2', { algorithm: 'aes', size: 256 });
  const template = await world.call('POST', 'cckm/aws/templates', { name: odd, kms: 'payments' });
  const schedule = await make('scheduler/job-configs', { operation: 'cckm_synchronization', run_at: '15 2 * * *', disabled: true, cckm_synchronization_params: { cloud_name: 'aws', synchronize_all: true } });
  const connection = await make('connectionmgmt/services/aws/connections', { access_key_id: 'AKIADOESNOTEXISTAB13', secret_access_key: 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY' });
  await make('usermgmt/groups', {});
  const report = await world.call('POST', 'cckm/aws/reports', { name: odd, report_type: 'key-aging', cloud_watch_params: [{ kms: 'payments' }] });

  await signIn(page);
  const connections = 'connectionmgmt/services/aws/connections';
  for (const shown of [
    'vault/keys2', `vault/keys2/${source.id}`, 'cckm/aws/templates', `cckm/aws/templates/${template.id}`, 'scheduler/job-configs', `scheduler/job-configs?open=${schedule.id}`,
    connections, `${connections}/${connection.id}`, `${connections}/${connection.id}?tab=settings`, `usermgmt/groups?open=${path(odd)}`, 'cckm/aws/reports', `cckm/aws/reports/${report.id}`,
    `cckm/aws/keys/${world.keys['atm-pin-block'].id}`, 'cckm/aws/keys?cols=alias,description,state', 'audit/records?event=Created',
  ]) {
    await page.goto(`${base}/${shown}`);
    // The name in the settings is the value of a field.
    await clean(shown, !shown.endsWith('settings'));
  }
  await page.goto(`${base}/cckm/aws/templates/${template.id}`);
  await page.click('button:has-text("Delete…")');
  await page.waitForSelector('dialog:has-text("onerror")');
  await clean('the question before a deletion');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+k');
  await page.fill('.palette input', 'onerror');
  await page.waitForSelector('.hits:has-text("onerror")');
  await clean('the palette');
  const groups = await page.locator('.hits h3').allTextContents();
  for (const group of ['Source keys', 'Policy templates', 'Schedules', 'Connections', 'Groups', 'Reports']) if (!groups.includes(group)) throw new Error(`the palette has the groups ${groups.join(', ')}`);
  await page.keyboard.press('Escape');

  for (const shown of [`/cckm/aws/keys/${world.keys[LONGEST].id}`, '/cckm/aws/keys?cols=alias,description,state']) {
    await page.goto(base + shown);
    await page.waitForSelector('main h1');
    await clean(shown, false);
  }
  for (const made of [`vault/keys2/${source.id}`, `cckm/aws/templates/${template.id}`, `scheduler/job-configs/${schedule.id}`, `${connections}/${connection.id}`, `usermgmt/groups/${path(odd)}`, `cckm/aws/reports/${report.id}`]) await world.call('DELETE', made);
}
