/** Virtual keys: the view of HYOK keys as keys of this manager, and ids of HYOK keys to be. One opens beside the list. */
import { html } from '../../view.js';
import { api } from '../../api.js';
import { changed, useGet } from '../../data.js';
import { useOpened, usePage } from '../../page.js';
import { go, query, setQuery } from '../../router.js';
import { segment } from '../../lib/query.js';
import { shortId } from '../../lib/text.js';
import { lacksAnywhere } from '../../rights.js';
import { keepDraft } from '../../storage.js';
import { Chip, Empty, ErrorNote, IdLine, Name, Note, Pairs, Skeleton, State, Time } from '../../components/bits.js';
import { ask } from '../../components/dialog.js';
import { act } from '../../components/over.js';
import { Head, SidePanel } from '../../components/head.js';
import { Icon } from '../../components/icon.js';
import { List } from '../../components/list/list.js';
import { Button, Menu } from '../../components/popup.js';
import { START } from '../keys/create-body.js';
import { Areas, VIRTUAL } from './areas.js';

/** @param {{row: any}} props */
const Source = ({ row }) => html`<a href=${`/vault/keys2/${segment(row.source_key_id)}`} class="mono">${shortId(row.source_key_id)}</a>`;

/** @type {import('../../components/list/table.js').Column[]} */
const COLUMNS = [
  { id: 'name', title: 'Name', sort: 'name', cell: (row) => html`<${Name} text=${row.name} />`, second: (row) => html`<span class="mono">${shortId(row.id)}</span>` },
  { id: 'id', title: 'Id', width: 110, leaves: 2, cell: (row) => html`<span class="mono t2" data-tip=${row.id}>${shortId(row.id)}</span>` },
  { id: 'source', title: 'Source key', width: 120, cell: (row) => html`<${Source} row=${row} />` },
  { id: 'version', title: 'Version', width: 80, end: true, leaves: 1, cell: (row) => row.version },
  { id: 'deletable', title: 'May be deleted', width: 130, cell: (row) => (row.deletable ? 'yes' : html`<span class="t3">no</span>`) },
  { id: 'created', title: 'Since', width: 140, sort: 'createdAt', cell: (row) => html`<${Time} at=${row.createdAt} />` },
];

export function VirtualKeys() {
  const opened = query.value.open === undefined ? null : String(query.value.open);
  usePage({ title: 'Virtual keys', crumbs: [{ label: 'Source keys', href: '/vault/keys2' }, { label: 'Virtual keys' }] });
  return html`<div class="page full"><${Head} title="Source keys" sub="Every HYOK key has a virtual key with its id; one without is a HYOK key to be." /><${Areas} />
    <${List} path=${VIRTUAL} noun=${['virtual key', 'virtual keys']} columns=${COLUMNS} sort="name" panel filters=${[{ name: 'source_key_id', title: 'Source key', placeholder: 'its id' }, { name: 'id', title: 'Id' }]} search=${{ name: 'name', placeholder: 'Name, or with *' }}
      beside=${opened && html`<${VirtualPanel} key=${opened} id=${opened} />`}
      empty=${html`<${Empty} icon="key-round" title="No virtual key yet">A HYOK key brings one. An AES 256 source key that is unexportable and undeletable can have one before.<//>`} /></div>`;
}

/** @param {{id: string}} props */
function VirtualPanel({ id }) {
  const path = `/cckm/virtual/keys/${segment(id)}`;
  const read = useGet(path);
  const held = useGet('/cckm/aws/keys', { id, limit: 1 });
  const versions = useGet(read.data ? `${path}/versions` : null, { limit: 50 });
  const one = read.data;
  useOpened({ call: { path, query: {} } });
  if (!one) return html`<${SidePanel} title="Virtual key"><div class="panel-body">${read.error ? html`<${ErrorNote} error=${read.error} again=${read.reload} />` : html`<${Skeleton} rows=${5} />`}</div><//>`;
  const hyok = held.data?.resources?.[0];
  const missing = lacksAnywhere('hyokkeydelete');
  const allow = (/** @type {boolean} */ deletable) => api.patch(path, { deletable }).then((answer) => (read.set(answer), changed(VIRTUAL), answer));
  const set = (/** @type {boolean} */ deletable) => act(() => allow(deletable), deletable ? `${one.name} may be deleted.` : `${one.name} is kept.`, () => allow(!deletable));
  const drop = () => ask({ title: `Delete the virtual key of ${one.name}?`, level: 3, name: one.name, act: 'Delete the virtual key', keep: 'Keep it', text: 'No HYOK key can be made with its id any more. The source key stays.', run: (_, api) => api.delete(path), dry: true }).then((answer) => answer && (changed(VIRTUAL), setQuery({ open: null })));
  const hold = () => {
    // The form takes the source key by the id of the virtual key.
    keepDraft('key.hyok', { ...START, source: one.name, sourceId: one.id });
    go('/cckm/aws/create-hyok-key');
  };
  return html`<${SidePanel} title=${html`<bdi>${one.name}</bdi>`} actions=${html`<${Menu} class="tiny" name="Acts" label=${html`<${Icon} name="ellipsis" />`} items=${[
      one.deletable ? { label: 'Keep it', icon: 'lock', missing: lacksAnywhere('keyupdate'), act: () => set(false) } : { label: 'Let it be deleted', icon: 'lock-open', missing: lacksAnywhere('keyupdate'), act: () => set(true) },
      'line', { label: 'Delete…', icon: 'trash-2', danger: true, missing: hyok ? 'what the virtual key of a HYOK key does not allow: it goes with the key' : one.deletable ? missing : 'the leave: let it be deleted first', act: drop }]} />`}>
    <section><${Pairs} of=${[['Id', html`<${IdLine} text=${one.id} what="the id" />`], ['Source key', html`<${Source} row=${one} />`], ['May be deleted', one.deletable ? 'yes' : 'no'], ['Since', html`<${Time} at=${one.createdAt} />`]]} /></section>
    <section>${hyok ? html`<a href=${`/cckm/aws/keys/${segment(hyok.id)}`}>Open the HYOK key</a>` : held.data && html`<div class="column"><${Note}>No HYOK key that you may see has its id.<//><div><${Button} class="small" icon="plus" missing=${lacksAnywhere('hyokkeycreate')} onClick=${hold}>Hold a key with it<//></div></div>`}</section>
    <section><h3>Versions</h3>${versions.error && html`<${ErrorNote} error=${versions.error} />`}<ul class="plain">${(versions.data?.resources ?? []).map((/** @type {any} */ row) => html`<li key=${row.id} class="row"><span>version ${row.version}</span><${State} state=${row.state === 'active' ? 'active' : 'Disabled'} word=${row.state === 'active' ? 'Active' : 'Retired'} /><span class="end small t2"><${Time} at=${row.createdAt} /></span></li>`)}${versions.data?.total === 0 && html`<li class="t3">none yet <${Chip}>made with the HYOK key<//></li>`}</ul></section><//>`;
}

/** `/cckm/virtual/keys/{id}` leads to the list with the virtual key opened. @param {{id: string}} props */
export function OpenVirtualKey({ id }) {
  queueMicrotask(() => go(`${VIRTUAL}?open=${encodeURIComponent(id)}`, { replace: true }));
  return null;
}
