/** The list of keys: views, every filter of the API, bulk acts. The pattern for other lists. */
import { html } from '../../view.js';
import { usePage } from '../../page.js';
import { segment } from '../../lib/query.js';
import { DAY } from '../../lib/time.js';
import { Head } from '../../components/head.js';
import { Icon } from '../../components/icon.js';
import { Empty, now } from '../../components/bits.js';
import { List } from '../../components/list/list.js';
import { isTablet } from '../../width.js';
import { keyBulk } from './bulk.js';
import { KEY_COLUMNS } from './columns.js';
import { KEY_FILTERS } from './filters.js';

/** Material that expires within so many days is soon to be imported again; the posture has the same bound. */
const EXPIRES_WITHIN = 30 * DAY;

/** @returns {import('../../components/list/views.js').View[]} */
const views = () => [
  { title: 'All keys', query: {} },
  { title: 'Ours', query: { keymanager: 'CUSTOMER', gone: 'false' } },
  { title: 'Nothing rotates them', query: { keymanager: 'CUSTOMER', gone: 'false', rotated_by: 'none' } },
  { title: 'Material expires', query: { gone: 'false', valid_to_before: `${new Date(now.value + EXPIRES_WITHIN).toISOString().slice(0, 10)}T00:00:00Z` } },
  { title: 'Brought', query: { origin: 'EXTERNAL' } },
  { title: 'Pending deletion', query: { keystate: 'PendingDeletion' } },
];

export function KeyList() {
  usePage({ title: 'Keys' });
  return html`<div class="page full"><${Head} title="Keys" actions=${html`
      <a class="button" href="/cckm/aws/upload-key"><${Icon} name="upload" size="small" />Upload${isTablet.value ? '' : ' a key'}</a>
      <a class="button ink" href="/cckm/aws/keys?new=native" data-key="c"><${Icon} name="plus" size="small" />Create a key<kbd>C</kbd></a>`} />
    <${List} path="/cckm/aws/keys" noun=${['key', 'keys']} columns=${KEY_COLUMNS} filters=${KEY_FILTERS} views=${views()} sort="alias"
      search=${{ placeholder: 'Alias, id, ARN, description, tag' }} href=${(/** @type {any} */ row) => `/cckm/aws/keys/${segment(row.id)}`} bulk=${keyBulk}
      empty=${html`<${Empty} icon="key-round" title="No keys yet">Create one, or upload your own.<br /><a href="/cckm/aws/keys?new=native">Create a key</a><//>`} /></div>`;
}
