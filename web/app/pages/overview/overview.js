/** Overview: what is wrong, what changed, how the keys stand, where they are, who may use one. An installation without a KMS gets the four steps. */
import { html } from '../../view.js';
import { api } from '../../api.js';
import { changed, useGet } from '../../data.js';
import { usePage } from '../../page.js';
import { query } from '../../router.js';
import { number, plural } from '../../lib/text.js';
import { parse } from '../../lib/time.js';
import { act } from '../../components/over.js';
import { ErrorNote, Skeleton, Time } from '../../components/bits.js';
import { Head } from '../../components/head.js';
import { Button } from '../../components/popup.js';
import { follow } from '../../frame/jobs.js';
import { lacksAnywhere } from '../../rights.js';
import { Lazy } from '../../components/lazy.js';
import { Since, sinceOf } from './since.js';

export function Overview() {
  usePage({ title: 'Overview', call: { path: '/cckm/aws/posture', query: {} } });
  const posture = useGet('/cckm/aws/posture');
  const kms = useGet('/cckm/aws/kms', { limit: 100, sort: 'name' });
  const drift = useGet('/cckm/aws/drift-events', { start_time: sinceOf(), superseded: false, limit: 100 });
  const data = posture.data;
  if (kms.data && kms.data.total === 0 && query.value.new !== 'skip') return html`<${Lazy} load=${() => import('./first-steps.js').then((file) => file.FirstSteps)} />`;
  const accounts = new Set((kms.data?.resources ?? []).map((/** @type {any} */ one) => one.account_id)).size;
  const regions = Object.keys(data?.by_region ?? {}).length;
  const synced = (kms.data?.resources ?? []).map((/** @type {any} */ one) => parse(one.synced_at)).filter((/** @type {number | null} */ at) => at !== null).sort()[0];
  const synchronise = () => act(async () => {
    await api.post('/cckm/aws/synchronization-jobs', { synchronize_all: true });
    follow();
    changed('/cckm/aws/synchronization-jobs');
  }, 'The synchronisation has begun. It can be left.');

  return html`<div class="page"><${Head} title="Overview"
      sub=${data && html`<span>${plural(data.keys, 'key')} in ${plural(kms.data?.total ?? 0, 'KMS', 'KMSs')}, ${plural(accounts, 'account')} and ${plural(regions, 'region')}. ${number(data.keys - data.keys_with_findings)} of them have no finding.</span>`}
      actions=${html`${synced && html`<span class="small t2">Synchronised <${Time} at=${new Date(synced).toISOString()} /></span>`}<${Since} /><${Button} icon="refresh-cw" missing=${lacksAnywhere('keysynchronize')} onClick=${synchronise}>Synchronise<//>`} />
    <div class="body">
      ${posture.error && html`<${ErrorNote} error=${posture.error} again=${posture.reload} />`}
      ${!data && !posture.error && html`<${Skeleton} rows=${6} />`}
      ${data && (kms.data || kms.error) && html`<${Lazy} load=${() => import('./dashboard.js').then((file) => file.Dashboard)} posture=${data} kms=${kms.data?.resources ?? []} drift=${drift} since=${sinceOf()} />`}
    </div></div>`;
}

