// The browser of the tests: Debian's Chromium, a page that collects what goes wrong, sign-in, axe, pictures.
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const require = createRequire(import.meta.url);
const axe = await readFile(require.resolve('axe-core/axe.min.js'), 'utf8');
export const base = process.argv[2];
export const password = process.env.CLAVIGER_ADMIN_PASSWORD ?? '';
export const pictures = new URL('../../target/screenshots/', import.meta.url).pathname;
await mkdir(pictures, { recursive: true });

export const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  // Chromium's own sandbox does not work as root, as tests in containers run.
  args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), '--font-render-hinting=none'],
});

/**
 * A page in a context of its own. `wrong` collects errors of scripts, of the Content-Security-Policy, and paths that the API lacks;
 * `calls` the requests to the API.
 */
export async function open({ width = 1440, height = 900, theme = 'light' } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, ignoreHTTPSErrors: true, reducedMotion: 'reduce' });
  const page = await context.newPage();
  const wrong = [];
  const calls = [];
  page.on('pageerror', (error) => wrong.push(`error in a script: ${error.message}`));
  page.on('console', (said) => {
    if (said.type() === 'error' && !/^Failed to load resource/.test(said.text())) wrong.push(`console: ${said.text()}`);
  });
  page.on('request', (request) => {
    if (request.url().includes('/api/v1/')) calls.push({ method: request.method(), path: request.url().split('/api/v1')[1] });
  });
  page.on('response', async (response) => {
    if (response.status() < 400 || !response.url().includes('/api/v1/')) return;
    const body = await response.json().catch(() => ({}));
    if (body.reason === 'not_found' || body.reason === 'method_not_allowed') wrong.push(`the API has no ${response.request().method()} ${response.url()}`);
    if (response.status() === 400) wrong.push(`refused as wrong: ${response.url()}: ${body.message}`);
  });
  return { page, context, wrong, calls, close: () => context.close() };
}

export async function signIn(page, username = 'admin', secret = password, at = base) {
  await page.goto(at);
  await page.fill('#sign-in-name', username);
  await page.fill('#sign-in-password', secret);
  await page.click('button[type=submit]');
  await page.waitForSelector('.frame');
}

/** Waits until nothing that is shown is read any more; a page that stays a skeleton is a fault. */
export async function settled(page) {
  await page.waitForTimeout(200);
  await page.waitForFunction(() => !document.querySelector('.skeleton, .loading-bar'), null, { timeout: 15_000 }).catch(() => {
    throw new Error(`still loading after 15 s: ${page.url()}`);
  });
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(150);
}

/** The text of the API menu: the page as a call with curl. */
export async function asCall(page) {
  await page.click('[aria-label="This page as a call of the API"]');
  const text = await page.textContent('.topbar .popup pre');
  await page.keyboard.press('Escape');
  await page.waitForSelector('.topbar .popup pre', { state: 'detached' });
  return text ?? '';
}

/** What axe finds (WCAG 2.2 AA), a line each. */
export async function findings(page) {
  await page.evaluate(`${axe}; window.axe = axe;`).catch(() => page.addInitScript(axe));
  const found = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }));
  return found.violations.flatMap((rule) => rule.nodes.slice(0, 4).map((node) => `${rule.id}: ${node.target.join(' ')}: ${node.any[0]?.message ?? node.all[0]?.message ?? rule.help}`));
}
