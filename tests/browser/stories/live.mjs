// What changes on the server is shown by itself; a hidden tab holds no connection, and has nothing missed when it is seen again.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'a list follows what others change; the stream rests while the tab is hidden, and goes on where it was';

export async function run({ page, world }) {
  /** @type {import('playwright-core').Request[]} */
  const streams = [];
  const over = new Set();
  page.on('request', (request) => request.url().endsWith('/api/v1/events') && streams.push(request));
  for (const end of /** @type {const} */ (['requestfailed', 'requestfinished'])) page.on(end, (request) => over.add(request));
  const seen = (state) => page.evaluate((now) => {
    Object.defineProperty(document, 'visibilityState', { value: now, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);
  const until = async (what, done) => {
    for (let i = 0; i < 50 && !done(); i += 1) await page.waitForTimeout(100);
    if (!done()) throw new Error(what);
  };
  const made = [];
  const make = async (name) => made.push(await world.call('POST', 'vault/keys2', { name, algorithm: 'aes', size: 256 }));
  const mark = Date.now();
  await signIn(page);
  await page.goto(`${base}/vault/keys2?sort=-createdAt`);
  await page.waitForSelector('tbody tr a');
  await settled(page);
  await make(`live-${mark}`);
  await page.waitForSelector(`tbody tr:has-text("live-${mark}")`, { timeout: 8000 });

  const open = () => streams.filter((one) => !over.has(one));
  await until('the stream is not open', () => open().length === 1);
  await seen('hidden');
  await until('a hidden tab holds the stream', () => open().length === 0);
  const before = streams.length;
  await make(`hidden-${mark}`);
  await page.waitForTimeout(2500);
  if (streams.length !== before) throw new Error('a hidden tab opened a stream');
  await seen('visible');
  await until('the stream is not open again', () => open().length === 1);
  if (!/^\d+$/.test(streams.at(-1).headers()['last-event-id'] ?? '')) throw new Error('the stream does not go on from the last record');
  await page.waitForSelector(`tbody tr:has-text("hidden-${mark}")`, { timeout: 8000 });
  for (const key of made) await world.call('DELETE', `vault/keys2/${key.id}`);
}
