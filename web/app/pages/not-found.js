/** One page for what is not there and for what is not the reader's: it does not say which. */
import { html } from '../view.js';
import { usePage } from '../page.js';
import { Empty } from '../components/bits.js';

/** @param {{what?: string, list?: string}} props */
export function NotFound({ what = 'page', list = '/' }) {
  usePage({ title: 'Not found' });
  return html`<div class="page"><${Empty} icon="search" title=${`There is no such ${what}, or it is not yours to see`}>
    It may have been deleted, or another address is meant.<br /><a href=${list}>${list === '/' ? 'To the overview' : 'To the list'}</a><//></div>`;
}
