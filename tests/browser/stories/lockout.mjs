// Wrong passwords lead to a lockout, whose end counts down; what was typed stays.
import { base } from '../browser.mjs';

export const title = 'a lockout counts down, and what was typed stays';

export async function run({ page }) {
  await page.goto(base);
  const name = `nobody-${Date.now()}`;
  await page.fill('#sign-in-name', name);
  for (let i = 0; i < 12; i += 1) {
    await page.fill('#sign-in-password', `wrong-${i}`);
    await page.click('button[type=submit]');
    await page.waitForFunction(() => document.querySelector('.note.danger, .note.warn') && !document.querySelector('button[type=submit]')?.textContent?.includes('Signing'), null, { timeout: 30_000 });
    if (await page.locator('.note.warn').count()) break;
  }
  await page.waitForSelector('text=/Locked until \\d\\d:\\d\\d:\\d\\d UTC/');
  const first = await page.locator('.note.warn').textContent();
  await page.waitForFunction((text) => document.querySelector('.note.warn')?.textContent !== text, first);
  if ((await page.inputValue('#sign-in-name')) !== name) throw new Error('the name is lost');
  if (!(await page.locator('button[type=submit]').isDisabled())) throw new Error('one can sign in while locked');
}
