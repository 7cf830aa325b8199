// Views of one's own, saved in two tabs that do not know of each other.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'a view saved in one tab is not lost when another tab saves one';

export async function run({ page, context, world }) {
  await world.call('PUT', 'auth/self/preferences', {});
  await signIn(page);
  const other = await context.newPage();
  const save = async (tab, name) => {
    await tab.click('.views button:has-text("Save this view")');
    await tab.fill('#view-title', name);
    await tab.keyboard.press('Enter');
    await tab.waitForSelector(`.views a:has-text("${name}")`);
  };
  await page.goto(`${base}/cckm/aws/keys?keystate=PendingImport`);
  await other.goto(`${base}/cckm/aws/keys?keystate=Unavailable`);
  for (const tab of [page, other]) {
    await tab.waitForSelector('.views a');
    await settled(tab);
  }
  await save(page, 'first of a tab');
  await save(other, 'second of a tab');
  await settled(other);
  const kept = async () => ((await world.call('GET', 'auth/self/preferences')).views?.['/cckm/aws/keys'] ?? []).map((view) => view.title).sort().join(', ');
  if ((await kept()) !== 'first of a tab, second of a tab') throw new Error(`kept are ${await kept()}`);

  // One is forgotten, the other stays.
  await page.click('[aria-label="Forget the view first of a tab"]');
  await page.waitForSelector('.views a:has-text("first of a tab")', { state: 'detached' });
  await settled(page);
  if ((await kept()) !== 'second of a tab') throw new Error(`left are ${await kept()}`);
  await world.call('PUT', 'auth/self/preferences', {});
}
