// Nothing is asked twice: when a page is loaded, when one goes back, when one types, and when nothing happens.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'no request is repeated needlessly';

/** The milliseconds for which nothing happens; the tray would look each 5 s without the stream. */
const IDLE = 6000;

export async function run({ page, calls, world }) {
  /** Counts the calls of some work. Something else may happen on the server just then, and be read again with good reason: then once more. */
  const counted = async (what, most, work, before = async () => {}) => {
    for (let attempt = 1; ; attempt += 1) {
      await before();
      calls.length = 0;
      await work();
      await settled(page);
      const seen = calls.map((call) => `${call.method} ${call.path}`);
      const twice = [...new Set(seen.filter((call, i) => seen.indexOf(call) !== i))];
      if (twice.length === 0 && seen.length <= most) return;
      if (attempt === 2) throw new Error(`${what}: ${seen.length} calls, not ${most}; more than once: ${twice.join(', ') || 'none'}; all: ${seen.join(', ')}`);
    }
  };
  const open = async (path, ready) => {
    await page.goto(base + path);
    await page.waitForSelector(ready);
  };
  await signIn(page);
  const key = `/cckm/aws/keys/${world.keys.cards.id}`;
  for (const [path, ready, most] of PAGES(key, world)) await counted(path, most, () => open(path, ready));

  const list = async () => {
    await open('/cckm/aws/keys?keymanager=CUSTOMER', 'tbody tr a');
    await settled(page);
  };
  const toKey = async () => {
    await page.click('tbody tr:first-child a');
    await page.waitForSelector('[role=tablist]');
    await settled(page);
  };
  await counted('a key, from the list', 2, toKey, list);
  await counted('back to the list', 8, async () => {
    await page.goBack();
    await page.waitForSelector('tbody tr a');
  }, async () => {
    await list();
    await toKey();
  });
  await counted('a search that is typed', 1, async () => {
    // Within one moment, however slow the machine is.
    await page.locator('[data-search]').evaluate((input) => {
      for (const end of [1, 2, 3, 4, 5]) {
        input.value = 'cards'.slice(0, end);
        input.dispatchEvent(new Event('input', { bubbles: true }));
      }
    });
    await page.waitForFunction(() => location.search.includes('search=cards') && document.querySelectorAll('tbody tr a').length < 5);
  }, list);
  await counted('nothing', 0, () => page.waitForTimeout(IDLE));
}

/** Pages with the calls of their first load: those of the frame, and their own. */
const PAGES = (key, world) => [
  ['/', '.attention', 34],
  ['/cckm/aws/keys', 'tbody tr a', 28],
  [key, '[role=tablist]', 22],
  [`${key}?tab=policy`, '[role=tablist]', 22],
  ['/cckm/aws/kms', 'tbody tr a', 24],
  [`/cckm/aws/kms/${world.payments.id}`, '[role=tablist]', 27],
  ['/cckm/aws/custom-key-stores', 'tbody tr a', 22],
  ['/vault/keys2', 'tbody tr a', 24],
  ['/scheduler/job-configs', 'tbody tr', 23],
  ['/audit/records', 'tbody tr', 27],
  ['/usermgmt/users', 'tbody tr', 22],
];
