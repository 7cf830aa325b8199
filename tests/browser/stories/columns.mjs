// The columns of a list are chosen and moved, by keys and by dragging; the address keeps them, for wide windows too.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'columns are moved by keys and by dragging; a narrow window loses none';

export async function run({ page }) {
  const heads = async () => (await page.locator('thead th').allTextContents()).map((text) => text.trim()).filter((text) => text !== '');
  const grip = (name) => page.locator(`.popup [aria-label^="Move ${name}:"]`);
  const expect = async (wanted, what) => {
    const found = (await heads()).slice(0, wanted.length);
    if (found.join() !== wanted.join()) throw new Error(`${what}: the columns are ${found.join(', ')}, not ${wanted.join(', ')}`);
  };
  await signIn(page);
  await page.goto(`${base}/cckm/aws/keys?cols=alias,state,region,spec`);
  await page.waitForSelector('tbody tr a');
  await expect(['Alias', 'State', 'Region', 'Spec'], 'as the address says');
  await page.click('[aria-label="Columns"]');
  await grip('Spec').focus();
  await page.keyboard.press('ArrowUp');
  await page.waitForFunction(() => new URLSearchParams(location.search).get('cols') === 'alias,state,spec,region');
  await page.keyboard.press('ArrowUp');
  await page.waitForFunction(() => new URLSearchParams(location.search).get('cols') === 'alias,spec,state,region');
  // The name stays the first.
  await page.keyboard.press('ArrowUp');
  await settled(page);
  await expect(['Alias', 'Spec', 'State', 'Region'], 'moved by keys');
  const [from, to] = [await grip('Spec').boundingBox(), await grip('Region').boundingBox()];
  await page.mouse.move(from.x + 6, from.y + 6);
  await page.mouse.down();
  await page.mouse.move(to.x + 6, to.y + 4, { steps: 6 });
  await page.mouse.move(to.x + 6, to.y + 6);
  await page.screenshot({ path: new URL('../../../target/screenshots/columns-dragged.png', import.meta.url).pathname });
  await page.mouse.up();
  await page.waitForFunction(() => new URLSearchParams(location.search).get('cols') === 'alias,state,region,spec');
  await page.click('.popup label:has-text("Origin")');
  await page.waitForFunction(() => new URLSearchParams(location.search).get('cols') === 'alias,state,region,spec,origin');
  await page.keyboard.press('Escape');
  await page.reload();
  await page.waitForSelector('tbody tr a');
  await expect(['Alias', 'State', 'Region', 'Spec', 'Origin'], 'after a reload');

  // A choice in a narrow window keeps the columns for which it has no room.
  await page.setViewportSize({ width: 820, height: 1180 });
  await page.click('[aria-label="Columns"]');
  await page.click('.popup label:has-text("Origin")');
  await page.waitForFunction(() => new URLSearchParams(location.search).get('cols') === 'alias,state,region,spec');
}
