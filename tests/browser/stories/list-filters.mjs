// Whatever narrows a list is seen and can be taken away, and a search that was not sent is not carried to another page.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'a filter that only a link sets has a chip; typing does not follow to another page';

export async function run({ page }) {
  const total = () => page.locator('.pager span').first().textContent();
  await signIn(page);
  await page.goto(`${base}/cckm/aws/keys`);
  await page.waitForSelector('tbody tr a');
  await settled(page);
  const all = await total();
  await page.goto(`${base}/cckm/aws/keys?rotated_by=schedule&keymanager=CUSTOMER`);
  await page.waitForSelector('tbody tr a');
  await settled(page);
  if ((await total()) === all) throw new Error('the filter does not narrow the list');
  const chips = await page.locator('.filter-chip').allTextContents();
  if (chips.length !== 2 || !chips.some((chip) => /Rotated by.*schedule/.test(chip))) throw new Error(`the chips are ${chips.join(', ')}`);
  await page.click('[aria-label="Take away the filter Rotated by"]');
  await page.click('[aria-label="Take away the filter Managed by"]');
  await page.waitForFunction((text) => document.querySelector('.pager span')?.textContent === text, all);

  // Typed, and the page is left within the time that typing waits.
  await page.evaluate(() => {
    const field = /** @type {HTMLInputElement} */ (document.querySelector('[data-search]'));
    field.value = 'cards';
    field.dispatchEvent(new Event('input', { bubbles: true }));
    /** @type {HTMLElement} */ (document.querySelector('.sidebar a[href^="/vault/keys2"]')).click();
  });
  await page.waitForSelector('h1:has-text("Source keys")');
  await settled(page);
  await page.waitForTimeout(300);
  if (page.url() !== `${base}/vault/keys2`) throw new Error(`the search was carried to ${page.url()}`);

  // Esc takes back what was typed, sent or not.
  await page.fill('[data-search]', 'cards');
  await page.keyboard.press('Escape');
  await page.waitForTimeout(300);
  if ((await page.inputValue('[data-search]')) !== '' || page.url() !== `${base}/vault/keys2`) throw new Error('Esc leaves what was typed');

  // What is typed while a search of it arrives stays.
  await page.goto(`${base}/cckm/aws/keys`);
  await page.waitForSelector('tbody tr a');
  await settled(page);
  const kept = await page.evaluate(async () => {
    const field = /** @type {HTMLInputElement} */ (document.querySelector('[data-search]'));
    const type = (/** @type {string} */ text) => {
      field.value = text;
      field.dispatchEvent(new Event('input', { bubbles: true }));
    };
    type('car');
    while (new URLSearchParams(location.search).get('search') !== 'car') await new Promise((resolve) => setTimeout(resolve));
    type('cards');
    await new Promise((resolve) => setTimeout(resolve, 80));
    return field.value;
  });
  if (kept !== 'cards') throw new Error(`what was typed has become ${kept}`);
  await page.waitForFunction(() => new URLSearchParams(location.search).get('search') === 'cards');
  // The address changes what is typed where something else changes it.
  await page.goto(`${base}/cckm/aws/keys?search=geo`);
  await page.waitForFunction(() => document.querySelector('[data-search]')?.value === 'geo');
}
