// What has a past shows it read only; what has none offers none, and asks for none.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'a key, a source key and a template are read only in the past; lists have no past';

const CLOCK = '.topbar [data-key=t]';

export async function run({ page, world }) {
  await signIn(page);
  // A list is not asked for its past, whatever the address says: a refusal would be among what is wrong.
  const source = (await world.call('GET', 'vault/keys2?name=cards-2026-q4')).resources[0];
  const at = (await world.call('GET', `vault/keys2/${source.id}/history?sort=-seq`)).resources[0].time;
  await page.goto(`${base}/cckm/aws/keys?at=${at}`);
  await page.waitForSelector('tbody tr a');
  await page.goto(`${base}/vault/keys2`);
  await page.waitForSelector('tbody tr a');
  await settled(page);
  if ((await page.locator(CLOCK).count()) > 0) throw new Error('a list offers a past');

  const template = (await world.call('GET', `cckm/aws/templates/${world.template.id}/history?sort=-seq`)).resources[0].time;
  const key = (await world.call('GET', `cckm/aws/keys/${world.keys.cards.id}/history?sort=-seq`)).resources[0].time;
  for (const [path, then, tabs] of [[`vault/keys2/${source.id}`, at, 'Summary History'], [`cckm/aws/templates/${world.template.id}`, template, 'Policy History'], [`cckm/aws/keys/${world.keys.cards.id}`, key, 'Summary Policy Aliases and tags Replicas History']]) {
    await page.goto(`${base}/${path}`);
    await page.waitForSelector('.head h1');
    await settled(page);
    if ((await page.locator(CLOCK).count()) !== 1) throw new Error(`${path} does not offer its past`);
    await page.goto(`${base}/${path}?at=${then}`);
    await page.waitForSelector('.timebar .tick');
    await page.waitForSelector('.head h1');
    await settled(page);
    if ((await page.locator('.head .actions button').count()) > 0) throw new Error(`the past of ${path} offers a change`);
    const shown = (await page.locator('[role=tab]').allTextContents()).map((text) => text.replace(/[\d\s]+$/, ''));
    if (shown.join(' ') !== tabs) throw new Error(`the past of ${path} has the tabs ${shown.join(', ')}`);
    // The field shows seconds: to pass through it leaves the time as exact as it was.
    await page.focus('.timebar input');
    await page.keyboard.press('Tab');
    await settled(page);
    if (new URL(page.url()).searchParams.get('at') !== then) throw new Error(`the time became ${page.url()}`);
  }
  // Before it was made, there was nothing; that is said under the bar.
  await page.goto(`${base}/cckm/aws/keys/${world.keys.cards.id}?at=2020-01-01T00:00:00Z`);
  await page.waitForSelector('text=It was not there yet');
  await page.click('text=Back to now');
  await page.waitForSelector('.head .actions button');
}
