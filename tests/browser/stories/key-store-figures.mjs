// The figures of a key store are those of the API: refused calls are among all calls, and the tail says of which key each is.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'a key store shows which share of calls was refused, of which keys, and how many more there are';

export async function run({ page, world }) {
  const path = `cckm/aws/custom-key-stores/${world.store.id}`;
  const id = world.held.local_hosted_params.xks_key_id;
  const times = { calls: 40, p50_microseconds: 900, p99_microseconds: 3100 };
  await page.route(`**/api/v1/${path}/counters`, (route) => route.fulfill({ json: { calls: { decrypt: 900, encrypt: 100 }, refusals: { AccessDeniedException: 200, ThrottlingException: 50 }, last_minute: times, last_hour: times } }));
  const call = (xks_key_id, i) => ({ at: new Date(Date.UTC(2026, 10, 3, 12, 0, 0) - i * 1000).toISOString(), operation: 'decrypt', error: 'AccessDeniedException', message: 'no', rule: 'key store: principals', xks_key_id, principal: 'arn:aws:iam::123456789012:role/etl' });
  const all = Array.from({ length: 200 }, (_, i) => call(i % 4 ? id : 'no-such-key', i));
  await page.route(`**/api/v1/${path}/refused-calls*`, (route) => {
    const wanted = new URL(route.request().url()).searchParams.get('xks_key_id');
    const resources = all.filter((one) => wanted === null || one.xks_key_id === wanted);
    return route.fulfill({ json: { skip: 0, limit: 200, total: resources.length, resources } });
  });
  await signIn(page);
  await page.goto(`${base}/${path}`);
  await page.waitForSelector('.cards section:has-text("25.000 % of 1\u2009000 calls")');
  await page.waitForSelector('.tail tr:nth-child(200)');
  await page.waitForSelector('.card-foot:has-text("The last 200 of 250 since the program started")');
  if ((await page.locator('.tail tr:has-text("no-such-")').count()) !== 50) throw new Error('a key that does not exist is not named as AWS names it');
  await page.selectOption('.card:has(.tail) select', { label: 'ledger-primary' });
  await page.waitForSelector('.card-foot:has-text("150 calls since the program started")');
  if ((await page.locator('.tail tbody tr').count()) !== 150) throw new Error('the tail is not of the key alone');
  await page.click('.tail a:has-text("ledger-primary") >> nth=0');
  await page.waitForSelector('h1:has-text("ledger-primary")');
  await settled(page);
}
