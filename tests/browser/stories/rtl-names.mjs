// Names in Hebrew and Arabic stand apart from the text around them, in a <bdi>: a number or a bracket beside one keeps its place. The API
// refuses the characters that turn text around in names, and takes them in descriptions.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'names from right to left change the order of nothing around them';

const NAME = 'מפתחות (2026) 3';
const ARABIC = 'مفاتيح البطاقات 7';

/** The texts with letters from right to left that stand in a text without being set apart; JSON and the options of a field cannot be, the letters of an avatar stand alone. */
const mixed = (page) => page.evaluate(() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const at = node.parentElement;
    if (!/[\u0590-\u06ff]/.test(node.data) || at.closest('bdi, .avatar, pre, code, option, textarea, script') || !at.checkVisibility()) continue;
    found.push(`${at.closest('[class]')?.className} > ${at.tagName.toLowerCase()}: ${node.data.slice(0, 60)}`);
  }
  return found;
});

export async function run({ page, world }) {
  const path = encodeURIComponent;
  const connections = 'connectionmgmt/services/aws/connections';
  const made = [];
  const make = async (list, body, id = (one) => one.id) => {
    const answer = await world.call('POST', list, body);
    made.push(`${list}/${path(id(answer))}`);
    return answer;
  };
  const refused = await world.call('POST', 'usermgmt/groups?dry_run=true', { name: 'a\u202eb' }).then(() => null, (error) => error);
  if (!refused?.message.includes('invisible characters')) throw new Error('a name may turn the text around it');
  const source = await make('vault/keys2', { name: NAME, algorithm: 'aes', size: 256, description: 'the end \u202e turned' });
  const template = await make('cckm/aws/templates', { name: NAME, kms: 'payments' });
  const schedule = await make('scheduler/job-configs', { name: NAME, operation: 'cckm_synchronization', run_at: '15 2 * * *', disabled: true, cckm_synchronization_params: { cloud_name: 'aws', synchronize_all: true } });
  const connection = await make(connections, { name: NAME, access_key_id: 'AKIADOESNOTEXISTAB13', secret_access_key: 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY' });
  const user = await make('usermgmt/users', { username: ARABIC, name: NAME, password: 'Lab-user-2026-pass' }, (one) => one.user_id);
  await make('usermgmt/groups', { name: NAME }, (one) => one.name);
  await world.call('POST', `usermgmt/groups/${path(NAME)}/users/${path(user.user_id)}`, {});
  const report = await make('cckm/aws/reports', { name: NAME, report_type: 'key-aging', cloud_watch_params: [{ kms: 'payments' }] });

  await signIn(page);
  const wrong = [];
  const look = async (where) => {
    await page.locator('body').getByText(/[\u0590-\u06ff]/).filter({ visible: true }).first().waitFor({ timeout: 15_000 }).catch(() => { throw new Error(`${where} does not show the name`); });
    await settled(page);
    for (const one of await mixed(page)) wrong.push(`${where}: ${one}`);
    if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth + 1)) wrong.push(`${where} is wider than the window`);
  };
  for (const shown of [
    'vault/keys2', `vault/keys2/${source.id}`, `vault/keys2/${source.id}?tab=history`, 'cckm/aws/templates', `cckm/aws/templates/${template.id}`, 'scheduler/job-configs', `scheduler/job-configs?open=${schedule.id}`, connections, `${connections}/${connection.id}`,
    'usermgmt/users', `usermgmt/users?open=${path(user.user_id)}`, `usermgmt/groups?open=${path(NAME)}`, 'cckm/aws/reports', `cckm/aws/reports/${report.id}`, 'audit/records?event=Created', '',
  ]) {
    await page.goto(`${base}/${shown}`);
    await look(shown);
  }
  const kms = `cckm/aws/kms/${world.payments.id}`;
  const permit = (yes) => world.call('POST', `${kms}/update-acls`, { acls: [{ group: NAME, actions: ['viewnative'], permit: yes }, { user_id: user.user_id, actions: ['viewnative'], permit: yes }] });
  await permit(true);
  await page.goto(`${base}/${kms}?tab=rights`);
  await page.waitForSelector('.matrix');
  await look('the rights of a KMS');
  await page.click('text=By person');
  await look('the rights of a KMS by person');
  await permit(false);
  await page.keyboard.press('Control+k');
  await page.fill('.palette input', NAME.slice(0, 4));
  await page.waitForSelector('.hits a, .hits [role=option]');
  await look('the palette');
  await page.keyboard.press('Escape');
  for (const one of made.reverse()) await world.call('DELETE', one);
  if (wrong.length > 0) throw new Error(`not set apart:\n       ${wrong.join('\n       ')}`);
}
