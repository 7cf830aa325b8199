/** One key store: the big switch, health, calls, refused calls live, credentials, who may call. */
import { html } from '../../view.js';
import { api } from '../../api.js';
import { changed as changedPath, useGet } from '../../data.js';
import { usePage } from '../../page.js';
import { go, setQuery } from '../../router.js';
import { queryString, segment } from '../../lib/query.js';
import { storeResource } from '../../lib/terraform.js';
import { lacks, lacksRight } from '../../rights.js';
import { ErrorNote, IdLine, Skeleton } from '../../components/bits.js';
import { ask } from '../../components/dialog.js';
import { act } from '../../components/over.js';
import { Head, Tabs } from '../../components/head.js';
import { Icon } from '../../components/icon.js';
import { Lazy } from '../../components/lazy.js';
import { List } from '../../components/list/list.js';
import { Button, Menu } from '../../components/popup.js';
import { NotFound } from '../not-found.js';
import { KEY_COLUMNS } from '../keys/columns.js';
import { connectHsm, createInHsm } from './cloudhsm.js';
import { StoreKind, StoreState, storeState } from './list.js';
import { Live } from './live.js';
import { StoreRules } from './caller-rules.js';
import { Credentials } from './credentials.js';

/** @param {{id: string}} props */
export function KeyStoreDetail({ id }) {
  const path = `/cckm/aws/custom-key-stores/${segment(id)}`;
  const read = useGet(path, {}, { every: 15_000 });
  const store = read.data;
  const keys = useGet(store ? '/cckm/aws/keys' : null, { custom_key_store_name: store?.name, kms: store?.kms, sort: 'alias', limit: 200, fields: 'id,aws_param.Alias,aws_param.KeyID,local_hosted_params.xks_key_id' });
  usePage({ title: store?.name ?? 'Key store', crumbs: [{ label: 'Key stores', href: '/cckm/aws/custom-key-stores' }, { label: store?.name ?? id.slice(0, 8) }], terraform: store && storeResource(store) });
  if (read.error?.status === 404) return html`<${NotFound} what="key store" list="/cckm/aws/custom-key-stores" />`;
  if (!store) return html`<div class="body">${read.error ? html`<${ErrorNote} error=${read.error} again=${read.reload} />` : html`<${Skeleton} rows=${6} />`}</div>`;
  const aws = store.aws_param ?? {};
  const count = keys.data?.total ?? 0;
  const state = storeState(store);
  const done = (/** @type {any} */ answer) => {
    if (!answer) return;
    read.reload();
    changedPath('/cckm/aws/custom-key-stores');
  };
  const connect = () => (store.type === 'CloudHSM' ? connectHsm(store, path).then(done) : act(() => api.post(`${path}/connect`).then((answer) => (done(answer), answer)), `AWS connects to ${store.name}. That takes minutes.`));
  const disconnect = () => ask({ title: `Disconnect ${store.name} from AWS?`, act: 'Disconnect', keep: 'Stay connected', text: `AWS can use none of its ${count} keys until it is connected again, which takes minutes. To refuse AWS at once, block it.`, run: (_, api) => api.post(`${path}/disconnect`), dry: true }).then(done);
  const link = () => ask({ title: `Make ${store.name} at AWS?`, act: 'Make it at AWS', tone: 'ink', keep: 'Not yet', text: 'AWS calls the health of the store at its address before it accepts it.', run: (_, api) => api.post(`${path}/link`), dry: true }).then(done);
  const drop = () => ask({ title: `Delete ${store.name}?`, level: 3, name: store.name, act: 'Delete the key store', keep: 'Keep it', text: 'It is deleted at AWS first, with its credentials. It must be disconnected and without keys.', run: (_, api) => api.delete(path), dry: true }).then((answer) => {
    if (!answer) return;
    changedPath('/cckm/aws/custom-key-stores');
    go('/cckm/aws/custom-key-stores');
  });
  // Key stores have no route of their own for it: the log has it, for those who may read the log.
  const history = lacksRight('admin') ? [] : [{ label: 'Its history', icon: 'history', href: `/audit/records${queryString({ resource: `key-store/${store.id}` })}` }, /** @type {const} */ ('line')];
  const local = store.type === 'LOCAL';
  return html`<div class="page"><${Head} title=${html`<bdi>${store.name}</bdi>`} beside=${html`<${StoreState} row=${store} /><span class="chip outline">${aws.custom_key_store_type === 'AWS_CLOUDHSM' ? 'CloudHSM key store' : 'External key store'}</span><${StoreKind} row=${store} />`}
      sub=${html`<span>KMS <a href=${`/cckm/aws/kms/${segment(store.kms_id)}`}>${store.kms}</a>, ${store.region}</span>${aws.custom_key_store_id && html`<span class="row">In AWS <${IdLine} text=${aws.custom_key_store_id} /></span>`}${aws.xks_proxy_uri_endpoint && html`<${IdLine} text=${aws.xks_proxy_uri_endpoint} what="the address" />`}`}
      actions=${html`${state === 'unlinked' && html`<${Button} missing=${lacks(store, 'keystorelink')} onClick=${link}>Make it at AWS…<//>`}
        ${['DISCONNECTED', 'FAILED'].includes(aws.connection_state) && state !== 'unlinked' && html`<${Button} missing=${lacks(store, 'keystoreconnect')} onClick=${connect}>Connect to AWS<//>`}
        ${aws.connection_state === 'CONNECTED' && html`<${Button} missing=${lacks(store, 'keystoredisconnect')} onClick=${disconnect}>Disconnect from AWS…<//>`}
        ${store.type === 'CloudHSM' && aws.connection_state === 'CONNECTED' && html`<${Button} icon="plus" missing=${lacks(store, 'cloudhsmkeycreate')} onClick=${() => createInHsm(store, path)}>Create a key…<//>`}
        ${!store.gone && html`<${Button} missing=${lacks(store, 'keystoreupdate')} onClick=${() => setQuery({ tab: 'settings' })}>Edit<//>`}
        <${Menu} class="button square" name="More acts" label=${html`<${Icon} name="ellipsis" />`} items=${[...history, { label: 'Delete…', icon: 'trash-2', danger: true, act: drop, missing: lacks(store, 'keystoredelete') }]} />`} />
    <${Tabs} tabs=${[
      { id: 'live', label: local ? 'Live' : 'Summary', show: () => html`<${Live} store=${store} path=${path} count=${count} keys=${keys.data?.resources ?? []} done=${done} />` },
      { id: 'keys', label: 'Keys', count, show: () => html`<div class="list-tab"><${List} path="/cckm/aws/keys" fixed=${{ custom_key_store_name: store.name, kms: store.kms }} noun=${['key', 'keys']} columns=${KEY_COLUMNS} sort="alias" href=${(/** @type {any} */ row) => `/cckm/aws/keys/${segment(row.id)}`} /></div>` },
      local && { id: 'credentials', label: 'Credentials', count: store.credential_count, show: () => html`<div class="body"><${Credentials} store=${store} path=${path} done=${done} /></div>` },
      local && { id: 'rules', label: 'Caller rules', show: () => html`<div class="body"><${StoreRules} store=${store} path=${path} done=${done} /></div>` },
      !store.gone && { id: 'settings', label: 'Settings', show: () => html`<${Lazy} load=${() => import('./settings.js').then((file) => file.StoreSettings)} store=${store} path=${path} done=${done} />` },
    ]} /></div>`;
}
