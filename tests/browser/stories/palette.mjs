// The palette: Tab leads to the acts of what is chosen, Shift Tab back; an act opens the page and presses what is on it.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'the palette has what is typed before it is there; Tab in it acts on what was found';

export async function run({ page }) {
  await signIn(page);
  await settled(page);
  // Its file is slow to come: what is typed before it is there is typed into it, and is no shortcut.
  await page.route('**/frame/palette.js', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await route.continue();
  });
  await page.keyboard.press('Control+k');
  await page.keyboard.type('go cuploax');
  for (let i = 0; i < 10; i += 1) await page.keyboard.press('Backspace');
  await page.keyboard.type('uplo');
  await page.keyboard.press('Enter');
  await page.waitForSelector('h1:has-text("Upload a key")');
  await page.unroute('**/frame/palette.js');
  const chosen = () => page.textContent('.palette [aria-selected="true"] .name');
  const find = async (text, name) => {
    await page.keyboard.press('Control+k');
    await page.waitForSelector('.palette input');
    await page.keyboard.type(text);
    await page.waitForSelector(`.palette [aria-selected="true"]:has-text("${name}")`);
  };
  await find('pan-tokens', 'pan-tokens');
  await page.keyboard.press('Tab');
  await page.waitForSelector('.palette h3:has-text("With pan-tokens")');
  if ((await chosen()) !== 'Rotate…') throw new Error(`Tab chose ${await chosen()}`);
  await page.keyboard.press('Shift+Tab');
  await page.waitForSelector('.palette h3:has-text("With pan-tokens")', { state: 'detached' });
  if ((await chosen()) !== 'pan-tokens') throw new Error(`Shift Tab chose ${await chosen()}`);

  await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[role=tab][aria-selected="true"]:has-text("Who may use it")');

  // From one key to another: the menu of the second one opens.
  await find('payroll', 'payroll');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForSelector('h1:has-text("payroll")');
  await page.waitForSelector('[role=menu] >> text=New material, same key…');

  // What has no acts keeps the focus in the field.
  await page.keyboard.press('Escape');
  await page.waitForSelector('[role=menu]', { state: 'detached' });
  await find('>theme', 'Theme');
  await page.keyboard.press('Escape');
  await page.waitForSelector('.palette', { state: 'detached' });
}
