// A choice that leaves others takes up the first that is left: what is sent is what is shown.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'what another choice has made impossible is not sent';

export async function run({ page, world }) {
  const code = async () => page.textContent('.wizard .aside pre');
  const shows = async (label) => page.getByLabel(label, { exact: true }).inputValue();
  await signIn(page);
  await page.goto(`${base}/cckm/aws/keys?new=native`);
  await page.waitForSelector('.wizard select');
  await settled(page);
  await page.getByLabel('KMS', { exact: true }).selectOption('payments');
  await page.getByLabel('Region', { exact: true }).selectOption('us-east-1');
  await page.waitForFunction(() => document.querySelector('.wizard .aside pre')?.textContent?.includes('"region": "us-east-1"'));
  await page.getByLabel('KMS', { exact: true }).selectOption('identity');
  await page.waitForFunction(() => document.querySelector('.wizard .aside pre')?.textContent?.includes('"kms": "identity"'));
  await settled(page);
  const region = await shows('Region');
  if (!world.identity.regions.includes(region) || !(await code()).includes(`"region": "${region}"`)) throw new Error(`the region is shown as ${region}, and sent is ${await code()}`);

  await page.click('.foot .ink');
  await page.getByLabel('What is it for?').selectOption('SIGN_VERIFY');
  await settled(page);
  if ((await shows('Spec')) !== 'RSA_2048' || !(await code()).includes('"KeySpec": "RSA_2048"')) throw new Error(`the spec is shown as ${await shows('Spec')}, and sent is ${await code()}`);
  const alias = `signs-${Date.now()}`;
  await page.fill('.form .input:has-text("alias/") input', alias);
  await page.waitForSelector('text=AWS was asked just now');
  await page.click('.foot .ink');
  await page.click('.foot .ink');
  await page.click('.foot .ink:has-text("Create the key")');
  await page.waitForSelector(`h1:has-text("${alias}")`, { timeout: 30_000 });
  const [made] = (await world.call('GET', `cckm/aws/keys?alias=alias/${alias}`)).resources;
  if (made?.region !== region || made.kms !== 'identity') throw new Error('the key is not where it was shown to be');

  // A key store is of one KMS: another KMS leaves none, and one cannot go on without.
  await page.goto(`${base}/cckm/aws/create-hyok-key`);
  await page.waitForSelector('.wizard select');
  await settled(page);
  await page.getByLabel('KMS', { exact: true }).selectOption('payments');
  await page.click('.foot .ink');
  await page.getByLabel('Key store').selectOption(world.store.id);
  await page.waitForSelector(`.wizard .aside pre:has-text("${world.store.id}")`);
  await page.click('.foot >> text=Back');
  await page.getByLabel('KMS', { exact: true }).selectOption('identity');
  await page.click('.foot .ink');
  await settled(page);
  if ((await code()).includes(world.store.id)) throw new Error('the key store of another KMS is sent');
  if ((await page.getAttribute('.foot .ink', 'aria-disabled')) !== 'true') throw new Error('one can go on without a key store');

  // The bits of a source key follow its algorithm.
  await page.goto(`${base}/vault/keys2?new=1`);
  const name = `rsa-${Date.now()}`;
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Algorithm').selectOption('rsa');
  await page.click('button:has-text("Make the source key")');
  await page.waitForSelector(`h1:has-text("${name}")`, { timeout: 30_000 });
  const source = await world.call('GET', `vault/keys2/${name}`);
  if (source.size !== 4096) throw new Error(`the source key has ${source.size} bits`);
}
