// A key store in a CloudHSM cluster: AWS says which cluster is free, connects with the password of kmsuser, and makes a key there.
import { base, settled, signIn } from '../browser.mjs';
import { PASSWORD, certificate } from '../seed-hsm.mjs';

export const title = 'a key store is made in a CloudHSM cluster, AWS is connected to it, and a key is made in it';

export async function run({ page, world }) {
  // The lab has one cluster; the stories that come after this one use the store of it.
  await signIn(page);
  await page.goto(`${base}/cckm/aws/custom-key-stores?new=1`);
  await page.click('.segments button:has-text("In a CloudHSM cluster")');
  const field = (label, kind = 'input') => `.field:has(label:has-text("${label}")) ${kind}`;
  await page.waitForSelector(field('Cluster', 'select'));
  const name = `hsm-${Date.now()}`;
  await page.fill(field('Name'), name);
  // The region is chosen in the moment in which it is offered.
  await page.evaluate(() => {
    const region = /** @type {HTMLSelectElement} */ ([...document.querySelectorAll('.field')].find((one) => one.querySelector('label')?.textContent?.startsWith('Region'))?.querySelector('select'));
    const chosen = new MutationObserver(() => {
      if (![...region.options].some((one) => one.value === 'us-east-1')) return;
      chosen.disconnect();
      region.value = 'us-east-1';
      region.dispatchEvent(new Event('change', { bubbles: true }));
    });
    chosen.observe(region, { childList: true });
  });
  await page.selectOption(field('KMS', 'select'), 'payments');
  await page.waitForFunction(() => [...document.querySelectorAll('option')].some((one) => one.textContent.startsWith('cluster-')));
  await settled(page);
  await page.screenshot({ path: new URL('../../../target/screenshots/key-store-hsm-form.png', import.meta.url).pathname });
  await page.fill(field('Password'), PASSWORD);
  await page.fill(field('Certificate', 'textarea'), await certificate());
  await page.click('.foot .ink');
  await page.waitForSelector(`h1:has-text("${name}")`, { timeout: 30_000 });
  // What was typed as a secret is kept nowhere.
  if (await page.evaluate((secret) => JSON.stringify({ ...sessionStorage, ...localStorage }).includes(secret), PASSWORD)) throw new Error('the password is kept in the browser');
  await page.click('.actions button:has-text("Connect to AWS")');
  if ((await page.locator('dialog [aria-label="This as a call of the API"]').count()) > 0) throw new Error('a call with a password is shown');
  await page.fill('#hsm-password', PASSWORD);
  await page.click('dialog button[type=submit]');
  await page.waitForSelector('.actions button:has-text("Create a key")', { timeout: 60_000 });
  await page.click('.actions button:has-text("Create a key")');
  await page.fill('#hsm-alias', `${name}-key`);
  await page.click('dialog button[type=submit]');
  await page.waitForSelector(`h1:has-text("${name}-key")`, { timeout: 30_000 });
  const [key] = (await world.call('GET', `cckm/aws/keys?alias=alias/${name}-key`)).resources;
  if (key?.aws_param.Origin !== 'AWS_CLOUDHSM') throw new Error('the key is not in the cluster');
}
