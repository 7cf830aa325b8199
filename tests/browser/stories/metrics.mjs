// The token of Prometheus: it is made, reads the metrics, is replaced, and taken away.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'Prometheus gets a token, a new one that ends the first, and none';

export async function run({ page, world }) {
  const status = 'system/metrics/prometheus/status';
  const reads = async (token) => (await fetch(`${base}/api/v1/system/metrics/prometheus`, { headers: { Authorization: `Bearer ${token}` } })).status;
  const shown = async () => {
    await page.waitForSelector('dialog .id-line');
    const { token } = await world.call('GET', status);
    if ((await page.textContent('dialog .id-line')).trim() !== token) throw new Error('another token is shown');
    await page.click('dialog button:has-text("I have it")');
    return token;
  };
  await world.call('POST', 'system/metrics/prometheus/disable');
  await signIn(page);
  await page.goto(`${base}/backups`);
  await page.click('nav[aria-label="Operation"] a:has-text("Metrics")');
  await page.click('button:has-text("Make a token")');
  const first = await shown();
  if ((await reads(first)) !== 200) throw new Error('the token reads nothing');
  await page.waitForSelector('.json:has-text("credentials_file")');
  if ((await page.content()).includes(first)) throw new Error('the token is in the page, not asked for');
  await page.click('button:has-text("Renew the token")');
  await page.click('dialog button[type=submit]');
  const second = await shown();
  if ((await reads(first)) !== 401 || (await reads(second)) !== 200) throw new Error('the first token is not replaced');
  await page.reload();
  await settled(page);
  await page.click('button:has-text("Show the token")');
  if ((await shown()) !== second) throw new Error('the token has changed');
  await page.click('button:has-text("Take it away")');
  await page.click('dialog button[type=submit]');
  await page.waitForSelector('button:has-text("Make a token")');
  if ((await reads(second)) !== 401 || (await world.call('GET', status)).enabled) throw new Error('the token is still good');
}
