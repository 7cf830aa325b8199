// What the server refuses is said at the field of it, in questions as in forms, with the number that it would take.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'a refusal is at its field, which has the focus; the number that is permitted is offered, and the hint stays';
// What is refused on purpose.
export const allows = ['refused as wrong'];

export async function run({ page, world }) {
  await signIn(page);
  await page.goto(`${base}/cckm/aws/keys/${world.keys.cards.id}`);
  await page.waitForSelector('.actions button:has-text("Schedule deletion")');
  await settled(page);
  await page.click('.actions button:has-text("Schedule deletion")');
  await page.fill('#days', '99');
  await page.click('dialog button:has-text("Dry run")');
  await page.waitForSelector('dialog .field:has(#days) .error:has-text("7 to 30")');
  if ((await page.locator('dialog .note.danger').count()) > 0) throw new Error('the refusal is a note too');
  const focus = () => page.evaluate(() => document.activeElement?.id);
  if ((await focus()) !== 'days') throw new Error(`the focus is on ${await focus()}`);
  if ((await page.getAttribute('#days', 'aria-invalid')) !== 'true') throw new Error('the field is not marked');
  await page.screenshot({ path: new URL('../../../target/screenshots/refusal-dialog.png', import.meta.url).pathname });
  await page.click('dialog .error button:has-text("Use 30")');
  await page.waitForSelector('dialog .field:has(#days) .error', { state: 'detached' });
  if ((await page.inputValue('#days')) !== '30') throw new Error('the permitted number was not taken');
  await page.click('dialog button:has-text("Dry run")');
  await page.waitForSelector('dialog .note:has-text("nothing was changed")');
  await page.keyboard.press('Escape');

  // The same in a form; the hint stays.
  await page.goto(`${base}/cckm/aws/custom-key-stores?new=1`);
  await page.waitForSelector('form .form');
  await settled(page);
  const field = (label) => `.field:has(label:has-text("${label}"))`;
  await page.fill(`${field('Name')} input`, 'story-refused');
  await page.selectOption(`${field('KMS')} select`, 'payments');
  await page.selectOption(`${field('Region')} select`, 'eu-central-1');
  await page.fill(`${field('Address')} input`, 'https://xks.lab.internal');
  await page.selectOption(`${field('Health check key')} select`, { label: 'xks-health' });
  await page.fill(`${field('Credentials at most')} input`, '50');
  await page.click('.foot .ink');
  await page.click(`${field('Credentials at most')} .error button:has-text("Use 20")`);
  if ((await page.inputValue(`${field('Credentials at most')} input`)) !== '20') throw new Error('the permitted number was not taken by the form');
  await page.fill(`${field('Name')} input`, 'x'.repeat(400));
  await page.click('.foot .ink');
  await page.waitForSelector(`${field('Name')} .error`);
  await page.waitForSelector(`${field('Name')} .hint:has-text("the same name")`);
  await page.screenshot({ path: new URL('../../../target/screenshots/refusal-form.png', import.meta.url).pathname });
}
