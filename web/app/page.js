/** What the page that is shown says about itself to the frame: title, crumbs, and itself as curl and Terraform. */
import { signal, useEffect } from './view.js';
import { info } from './info.js';

/**
 * @typedef {object} PageInfo
 * @property {string} title
 * @property {Array<{label: string, href?: string}>} [crumbs] the last one is the page itself
 * @property {{method?: string, path?: string, query?: Record<string, any>, body?: any}} [call] the call of the page, if it is not its address
 * @property {string} [terraform] the page as Terraform
 * @property {boolean} [past] what it shows has a past: the clock of the top bar offers an earlier time
 */

/** @type {import('../vendor/signals.js').Signal<PageInfo>} */
export const page = signal({ title: '' });

/** What the open side panel shows: the call and the Terraform of the page are those of it. @type {import('../vendor/signals.js').Signal<{call?: PageInfo['call'], terraform?: string}>} */
export const opened = signal({});

/** Called by a side panel, on every render. @param {{call?: PageInfo['call'], terraform?: string}} said */
export function useOpened(said) {
  useEffect(() => {
    opened.value = said;
    return () => {
      opened.value = {};
    };
  }, [JSON.stringify(said)]);
}

/** Called by each page, on every render. @param {PageInfo} said */
export function usePage(said) {
  const text = JSON.stringify(said);
  useEffect(() => {
    page.value = said;
    document.title = `${said.title} · ${info.value.title}`;
  }, [text]);
}
