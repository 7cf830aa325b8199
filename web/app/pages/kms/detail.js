/** One KMS: head, tabs, and its past under the time bar. */
import { html } from '../../view.js';
import { useGet } from '../../data.js';
import { usePage } from '../../page.js';
import { query, withQuery } from '../../router.js';
import { segment } from '../../lib/query.js';
import { number } from '../../lib/text.js';
import { kmsResource } from '../../lib/terraform.js';
import { Chip, IdLine } from '../../components/bits.js';
import { Head, Tabs } from '../../components/head.js';
import { List } from '../../components/list/list.js';
import { History } from '../../components/history.js';
import { Instead, ReadOnly, TimeBar } from '../../components/timebar.js';
import { NotFound } from '../not-found.js';
import { KEY_COLUMNS } from '../keys/columns.js';
import { KEY_FILTERS } from '../keys/filters.js';
import { KmsActions } from './actions.js';
import { KmsState } from './list.js';
import { KmsSummary } from './summary.js';
import { Rights } from './rights.js';
import { IamPolicy } from './iam-policy.js';
import { ThenAndNow } from './then-now.js';

/** @param {{id: string}} props */
export function KmsDetail({ id }) {
  const path = `/cckm/aws/kms/${segment(id)}`;
  const at = query.value.at;
  const now = useGet(path);
  const then = useGet(at === undefined ? null : path, { at });
  const read = at === undefined ? now : then;
  const kms = read.data;
  const connection = useGet(kms?.connection ? `/connectionmgmt/services/aws/connections/${segment(kms.connection)}` : null);
  const keys = useGet(now.data ? '/cckm/aws/keys' : null, { kms: now.data?.name, limit: 1 });
  const history = useGet(`${path}/history`, { limit: 1 });
  const name = kms?.name ?? now.data?.name ?? id;
  const rights = query.value.tab === 'rights';
  usePage({ title: name, crumbs: [{ label: 'KMSs', href: '/cckm/aws/kms' }, { label: name, href: path }, ...(rights ? [{ label: 'Rights' }] : [])], call: { path, query: at === undefined ? {} : { at } }, terraform: kms && kmsResource(kms), past: true });
  if (read.error?.status === 404 && now.error?.status === 404) return html`<${NotFound} what="KMS" list="/cckm/aws/kms" />`;
  const bar = at !== undefined && html`<${TimeBar} path=${path} name=${name} begun=${now.data?.createdAt} compare=${withQuery({ tab: null })} />`;
  if (!kms || (at !== undefined && read.error)) return html`<${Instead} bar=${bar} read=${read} />`;
  const past = at !== undefined;
  const failing = !past && connection.data?.last_connection_ok === false ? connection.data : undefined;
  const changed = (/** @type {any} */ answer) => (answer?.id ? now.set(answer) : now.reload());
  const gone = past && !now.data;
  return html`${bar}<div class=${`page ${['keys', 'rights'].includes(String(query.value.tab)) ? 'full' : ''} ${past ? 'below-bar' : ''}`}>
    <${Head} title=${html`<bdi>${kms.name}</bdi>`} beside=${html`<${KmsState} row=${kms} failing=${failing} /><${Chip} tone="outline">${kms.cloud_name}<//>`}
      sub=${html`<span class="row">Account <${IdLine} text=${kms.account_id} what="the account" /></span><span class="row">Connection <a href=${`/connectionmgmt/services/aws/connections/${segment(kms.connection)}`}><bdi>${kms.connection}</bdi></a></span><span class="row">Acts as <${IdLine} text=${kms.arn} what="the ARN" /></span>`}
      actions=${past ? html`<${ReadOnly} />` : html`<${KmsActions} row=${kms} path=${path} changed=${changed} />`} />
    <${Tabs} tabs=${[
      { id: 'summary', label: 'Summary', needs: Boolean(failing), show: () => (past ? html`<${ThenAndNow} then=${kms} now=${now.data} path=${path} />` : html`<${KmsSummary} row=${kms} connection=${connection.data} />`) },
      !gone && !past && { id: 'keys', label: 'Keys', count: keys.data && number(keys.data.total), show: () => html`<${List} path="/cckm/aws/keys" fixed=${{ kms: kms.name }} noun=${['key', 'keys']} columns=${KEY_COLUMNS} filters=${KEY_FILTERS.filter((filter) => filter.name !== 'kms')} search=${{ placeholder: 'Alias, id, ARN, description, tag' }} sort="alias" href=${(/** @type {any} */ row) => `/cckm/aws/keys/${segment(row.id)}`} />` },
      { id: 'rights', label: 'Rights', count: kms.acls?.length ?? 0, show: () => html`<${Rights} key=${past ? 'past' : 'now'} row=${kms} path=${path} changed=${changed} readOnly=${past} />` },
      !past && { id: 'policy', label: 'IAM policy', show: () => html`<${IamPolicy} kms=${kms} />` },
      { id: 'history', label: 'History', count: history.data && number(history.data.total), show: () => html`<${History} path=${path} />` },
    ]} /></div>`;
}
