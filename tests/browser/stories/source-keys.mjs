// A source key is edited, cloned, exported wrapped, and gets a virtual key; in the clear its name is asked for.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'source keys: edit, clone, export, virtual key';

export async function run({ page, world }) {
  const name = `story-${Date.now()}`;
  const wrapper = await world.call('POST', 'vault/keys2', { name: `${name}-wrapper`, algorithm: 'aes', size: 256 });
  const made = await world.call('POST', 'vault/keys2', { name, algorithm: 'aes', size: 256 });
  await signIn(page);
  const open = async (id) => {
    await page.goto(`${base}/vault/keys2/${id}`);
    await page.waitForSelector('[aria-label="More acts"]');
    await settled(page);
  };
  const choose = async (label) => {
    await page.click('[aria-label="More acts"]');
    await page.click(`[role=menuitem]:has-text("${label}")`);
    await page.waitForSelector('dialog');
  };
  const done = () => page.waitForSelector('dialog', { state: 'detached' });

  await open(made.id);
  await choose('Edit…');
  await page.fill('#source-labels', 'team=payments');
  await page.fill('#source-aliases', `${name}-alias`);
  await page.click('dialog button[type=submit]');
  await done();
  const edited = await world.call('GET', `vault/keys2/${made.id}`);
  if (edited.labels.team !== 'payments' || edited.aliases[0]?.alias !== `${name}-alias`) throw new Error('it was not changed');

  await choose('Export wrapped…');
  await page.selectOption('#export-key', wrapper.id);
  await page.click('dialog button[type=submit]');
  await page.waitForSelector('dialog >> text=Wrapped, in base64');
  if ((await page.inputValue('dialog textarea')).length < 40) throw new Error('there is no material');
  await page.click('dialog .ink');
  await done();

  await choose('Export in the clear…');
  if ((await page.getAttribute('dialog button[type=submit]', 'aria-disabled')) !== 'true') throw new Error('it leaves in the clear without its name');
  await page.click('dialog button:has-text("Keep it here")');
  await done();

  await choose('Clone…');
  await page.click('dialog button[type=submit]');
  await page.waitForSelector(`h1:has-text("${name}-clone")`);

  await choose('Edit…');
  await page.click('dialog label:has-text("Make it unexportable")');
  await page.click('dialog label:has-text("Undeletable")');
  await page.click('dialog button[type=submit]');
  await done();
  await settled(page);
  await page.click('[aria-label="More acts"]');
  if ((await page.locator('[role=menuitem]:has-text("Export")').count()) > 0) throw new Error('an unexportable key can be exported');
  await page.click('[role=menuitem]:has-text("Make a virtual key…")');
  await page.click('dialog button[type=submit]');
  await page.waitForSelector('.panel >> text=No HYOK key that you may see has its id');
  const [virtual] = (await world.call('GET', 'cckm/virtual/keys?limit=-1')).resources.filter((one) => one.name === `${name}-clone`);
  if (!virtual) throw new Error('there is no virtual key');
  await page.click('.panel [aria-label="Acts"]');
  if (!virtual.deletable) await page.click('[role=menuitem]:has-text("Let it be deleted")');
  if (!virtual.deletable) await page.click('.panel [aria-label="Acts"]');
  await page.click('[role=menuitem]:has-text("Delete…")');
  await page.fill('#ask-name', `${name}-clone`);
  await page.click('dialog button[type=submit]');
  await page.waitForSelector('.panel', { state: 'detached' });
  if ((await world.call('GET', 'cckm/virtual/keys?limit=-1')).resources.some((one) => one.id === virtual.id)) throw new Error('the virtual key is still there');
}
