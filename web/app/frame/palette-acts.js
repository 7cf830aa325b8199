/** What can be done with what the palette found: acts that Tab leads to. An act leads to a page, or presses what is on it. */
import { html } from '../view.js';
import { api } from '../api.js';
import { page } from '../page.js';
import { go } from '../router.js';
import { lacksRight } from '../rights.js';
import { segment } from '../lib/query.js';
import { showError } from '../components/over.js';
import { toast } from '../components/toast.js';

/** Presses a button of a page once it is there. @param {string} href of the page @param {string} key the key of the keyboard that presses it */
function press(href, key) {
  const before = page.value;
  const there = location.pathname === href;
  go(href);
  const begun = performance.now();
  const look = () => {
    // Until the new page has said what it is, the button of the one before may still be there.
    const button = there || page.value !== before ? document.querySelector(`[data-key="${key}"]`) : null;
    if (button instanceof HTMLElement) button.click();
    else if (location.pathname === href && performance.now() - begun < 5000) setTimeout(look, 50);
  };
  setTimeout(look, 50);
}

/** @param {string} text @param {string} what */
async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} is copied.`);
  } catch (error) {
    await showError(error);
  }
}

/** @param {string} id */
async function copyArn(id) {
  try {
    const key = await api.get(`/cckm/aws/keys/${segment(id)}`);
    await copy(key.aws_param?.Arn, 'The ARN');
  } catch (error) {
    await showError(error);
  }
}

/** The tabs and the pages of each kind: icon, what it is called, what of the address is added or replaces it. @type {Record<string, Array<[string, string, string]>>} */
const PAGES = {
  key: [['file-braces', 'Its policy', '?tab=policy']],
  kms: [['key-round', 'Its keys', '?tab=keys'], ['users', 'Rights on it', '?tab=rights'], ['file-braces', 'The IAM policy it needs', '?tab=policy']],
  connection: [['settings', 'Its settings', '?tab=settings'], ['file-braces', 'The IAM policy it needs', '?tab=policy']],
  custom_key_store: [['key-round', 'Its keys', '?tab=keys'], ['lock', 'Its credentials', '?tab=credentials'], ['users', 'Who may call', '?tab=rules']],
  source_key: [['archive', 'Its versions', '?tab=versions']],
  policy_template: [['key-round', 'The keys that carry it', '?tab=keys']],
};
/** Kinds whose pages have a past, and a history of their own. */
const PAST = ['key', 'kms', 'connection', 'source_key', 'policy_template'];

/**
 * The acts of a hit; none if it has none.
 * @param {import('./palette.js').Hit | undefined} hit @returns {import('./palette.js').Hit[]}
 */
export function actsOf(hit) {
  if (!hit?.kind || !hit.href) return [];
  const { kind, href, of = '' } = hit;
  const group = `With ${hit.title}`;
  const act = (/** @type {string} */ icon, /** @type {string} */ title, /** @type {any} */ how, /** @type {any} */ end = null) => ({ id: `${hit.id}-${title}`, group, icon, title, end, ...how });
  return [
    kind === 'key' && act('rotate-cw', 'Rotate…', { run: () => press(href, 'r'), beside: 'new material, or a new key' }, html`<kbd>R</kbd>`),
    kind === 'key' && act('users', 'Who may use it', { href: `${href}?tab=access` }, html`<kbd>W</kbd>`),
    ...(PAGES[kind] ?? []).map(([icon, title, more]) => act(icon, title, { href: href + more })),
    kind === 'schedule' && act('key-round', 'The keys under it', { href: `/cckm/aws/keys?job_config_id=${encodeURIComponent(of)}` }),
    kind === 'schedule' && act('pencil', 'Edit it', { href: `/scheduler/job-configs?new=1&edit=${encodeURIComponent(of)}` }),
    kind === 'user' && !lacksRight('admin') && act('scroll-text', 'What this user did', { href: `/audit/records?user_id=${encodeURIComponent(of)}` }),
    PAST.includes(kind) && act('history', 'See it as it was on…', { run: () => press(href, 't') }, html`<kbd>T</kbd>`),
    PAST.includes(kind) && act('scroll-text', 'Its history', { href: `${href}?tab=history` }),
    kind === 'key' && act('copy', 'Copy the ARN', { run: () => copyArn(of) }),
    of !== '' && kind !== 'group' && act('copy', 'Copy the id', { run: () => copy(of, 'The id'), beside: of }),
  ].filter((one) => one !== false);
}
