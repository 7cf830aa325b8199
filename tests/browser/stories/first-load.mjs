// What the first load costs: at most 150 KiB compressed with the fonts, and interactive within a second.
import { base } from '../browser.mjs';

export const title = 'the first load is at most 150 KiB, and interactive within a second';
export const when = 'empty';

export async function run({ page, context }) {
  const devtools = await context.newCDPSession(page);
  await devtools.send('Network.enable');
  let bytes = 0;
  devtools.on('Network.loadingFinished', (event) => {
    bytes += event.encodedDataLength;
  });
  await page.goto(base);
  await page.waitForSelector('#sign-in-name');
  const took = await page.evaluate(() => performance.now());
  await page.waitForTimeout(1500);
  console.log(`     ${(bytes / 1024).toFixed(1)} KiB, the form after ${Math.round(took)} ms`);
  if (bytes > 150 * 1024) throw new Error(`${bytes} bytes`);
  if (took > 1000) throw new Error(`${took} ms`);
}
