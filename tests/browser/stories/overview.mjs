// The overview names what needs attention, and leads to what is behind each number: alarms that are open, key stores that failed.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'open alarms and failed key stores need attention; each row leads to its list';

export async function run({ page, world }) {
  const open = await world.call('GET', 'alarms?state=on&severity=critical&limit=1');
  await page.route(/custom-key-stores\?.*connection_state=FAILED/, (route) => route.fulfill({ json: { skip: 0, limit: 20, total: 1, resources: [{ ...world.store, aws_param: { ...world.store.aws_param, connection_state: 'FAILED', connection_error_details: 'XKS_PROXY_NOT_REACHABLE' } }] } }));
  await signIn(page);
  await page.waitForSelector('.attention a:has-text("Key store xks-frankfurt failed"):has-text("XKS_PROXY_NOT_REACHABLE")');
  const row = page.locator('.attention a:has-text("Open critical alarms")');
  await row.waitFor();
  const shown = (await row.locator('.count').textContent()).replace(/\D/g, '');
  if (shown !== String(open.total)) throw new Error(`${shown} of ${open.total} critical alarms are counted`);
  if (!(await row.textContent()).includes('deletion scheduled')) throw new Error('the row does not say what was raised');
  await row.click();
  await page.waitForSelector('tbody tr');
  await settled(page);
  if (!/state=on/.test(page.url()) || !/severity=critical/.test(page.url())) throw new Error(`the row leads to ${page.url()}`);
  if (page.url().startsWith(`${base}/alarms`) === false) throw new Error('the row does not lead to the alarms');
}
