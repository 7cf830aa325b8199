// The server is killed and started again, is slow, or its answer is lost, in the middle of a form.
import { base, password, settled, signIn } from '../browser.mjs';
import { way } from '../way.mjs';

export const title = 'a server that is away or slow loses nothing that was typed, and the page goes on by itself';

export async function run({ page, calls, world }) {
  const to = await way(base);
  const name = `away-${Date.now()}`;
  const field = page.getByLabel('Name', { exact: true });
  const made = async (which) => (await world.call('GET', `vault/keys2?name=${which}`)).total;
  const posts = () => calls.filter((call) => call.method === 'POST' && call.path === '/vault/keys2').length;
  const typed = async (text) => {
    if ((await field.inputValue()) !== text) throw new Error(`what was typed is lost: ${await field.inputValue()}`);
  };
  const away = page.locator('.away >> text=The server does not answer');
  const form = async (text) => {
    await page.goto(`${to.address}/vault/keys2?new=1`);
    await field.fill(text);
    await settled(page);
    calls.length = 0;
  };
  try {
    await signIn(page, 'admin', password, to.address);

    // Killed, with a form open: it is said without a click, and the form can be sent as soon as the server is back.
    await form(name);
    await to.close();
    await away.waitFor();
    await page.click('button:has-text("Make the source key")');
    await page.waitForSelector('.form ~ .note:has-text("The server did not answer"), .column > .note:has-text("The server did not answer")');
    await typed(name);
    // A page whose files were not loaded yet.
    await page.click('nav >> text=Policy templates');
    await page.waitForSelector('text=could not be loaded');
    await page.goBack();
    await typed(name);
    await to.open();
    await away.waitFor({ state: 'detached' });
    await typed(name);
    if ((await made(name)) !== 0) throw new Error('the key was made without a click');
    await page.click('button:has-text("Make the source key")');
    await page.waitForSelector(`h1:has-text("${name}")`);
    if ((await made(name)) !== 1) throw new Error('the key was not made once');

    // Killed under a list, with a search typed: the rows come by themselves. So does a page that could not be loaded.
    await page.goto(`${to.address}/vault/keys2`);
    await page.waitForSelector('tbody tr a');
    await to.close();
    await page.fill('[data-search]', name);
    await page.waitForSelector('text=The list could not be read');
    await page.click('nav >> text=KMSs');
    await page.waitForSelector('text=could not be loaded');
    await page.goBack();
    await page.waitForSelector('text=The list could not be read');
    await to.open();
    await page.waitForFunction((wanted) => [...document.querySelectorAll('tbody tr a')].map((link) => link.textContent).join() === wanted, name);
    if ((await page.inputValue('[data-search]')) !== name) throw new Error('the search is lost');
    await to.close();
    await page.click('nav >> text=Reports');
    await page.waitForSelector('text=could not be loaded');
    await to.open();
    await page.waitForSelector('h1:has-text("Reports")');

    // Slow: a form that is sent twice by an impatient hand is sent once.
    await form(`${name}-slow`);
    to.delay = 1000;
    await field.press('Enter');
    await field.press('Enter');
    await typed(`${name}-slow`);
    await page.waitForSelector('[aria-busy="true"]');
    to.delay = 0;
    await page.waitForSelector(`h1:has-text("${name}-slow")`);
    if (posts() !== 1 || (await made(`${name}-slow`)) !== 1) throw new Error(`the form was sent ${posts()} times`);

    // The request arrives, the answer does not: it is not sent again, and what is not known is said.
    await form(`${name}-cut`);
    to.cut = true;
    await page.click('button:has-text("Make the source key")');
    await page.waitForSelector('text=It may have happened all the same');
    await typed(`${name}-cut`);
    to.cut = false;
    await away.waitFor({ state: 'detached' });
    await typed(`${name}-cut`);
    if (posts() !== 1 || (await made(`${name}-cut`)) !== 1) throw new Error(`the form was sent ${posts()} times, ${await made(`${name}-cut`)} keys are made`);
  } finally {
    await to.close();
  }
}
