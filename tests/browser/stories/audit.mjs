// The audit log: a record with before and after, the neighbours by arrow, the check of the chain, the export.
import { readFile } from 'node:fs/promises';
import { base, settled, signIn } from '../browser.mjs';

export const title = 'a record shows before and after; the chain is checked; what matches is exported';

export async function run({ page, world }) {
  await signIn(page);
  await page.goto(`${base}/audit/records?event=AclsChanged`);
  await page.waitForSelector('tbody tr td');
  await settled(page);
  await page.click('tbody tr:first-child td:nth-child(4)');
  await page.waitForSelector('.record .difference .added, .record .difference .removed');
  await page.waitForSelector('.place >> text=this record');
  const opened = page.url();

  // A number in the field opens that record; the arrows walk; Esc closes.
  await page.goto(`${base}/audit/records`);
  await page.waitForSelector('tbody tr td');
  await page.fill('[data-search]', `#${world.people.record}`);
  await page.keyboard.press('Enter');
  await page.waitForSelector(`.panel h2:has-text("Record")`);
  if (!page.url().includes(`open=${world.people.record}`)) throw new Error('the number does not open the record');
  await page.click('[aria-label="Next"]');
  await page.waitForFunction((old) => !location.search.includes(`open=${old}`), world.people.record);
  await page.keyboard.press('Escape');
  await page.waitForSelector('.panel', { state: 'detached' });
  await page.goto(opened);
  await page.waitForSelector('.record');

  // What is typed may be who or what: a key by its alias, a group, a user, and somebody whom nobody is called.
  const by = async (text, wanted) => {
    await page.goto(`${base}/audit/records`);
    await page.waitForSelector('tbody tr td');
    await page.fill('[data-search]', text);
    await page.keyboard.press('Enter');
    await page.waitForFunction((query) => new URLSearchParams(location.search).toString() === query, new URLSearchParams(wanted).toString()).catch(() => { throw new Error(`"${text}" asks for ${page.url()}`); });
    await settled(page);
  };
  await by('cards', { resource: `key/${world.keys.cards.id}` });
  await page.waitForSelector('.filter-chip:has-text("key cards")');
  if ((await page.locator('tbody tr:has-text("alias/cards")').count()) < 2) throw new Error('the records of the key are not shown');
  await by('alias/cards', { resource: `key/${world.keys.cards.id}` });
  await by('payments-keyops', { resource: 'group/payments-keyops' });
  await page.waitForSelector('tbody tr:has-text("created the group")');
  await by('operator-2', { username: 'operator-2' });
  await by('who was deleted', { username: 'who was deleted' });

  await page.goto(`${base}/audit/records?username=admin`);
  await page.waitForSelector('tbody tr td');
  await page.click('text=Verify the chain');
  await page.waitForSelector('text=The chain is whole', { timeout: 60_000 });

  await page.click('button:has-text("Export")');
  const [file] = await Promise.all([page.waitForEvent('download'), page.click('text=CSV of all that match')]);
  const text = await readFile(await file.path(), 'utf8');
  const lines = text.trim().split('\n');
  if (lines.length < 10 || !/number/.test(lines[0])) throw new Error(`the export has ${lines.length} lines: ${lines[0]}`);
}
