/** The summary of a KMS: its regions with their keys, what it acts as, what needs attention. */
import { html } from '../../view.js';
import { useGet } from '../../data.js';
import { queryString, segment } from '../../lib/query.js';
import { number, plural } from '../../lib/text.js';
import { Card, Empty, IdLine, Note, Pairs, Skeleton, Time } from '../../components/bits.js';
import { Stack } from '../../components/charts.js';
import { HistoryFeed } from './feed.js';

/** @param {{row: any, connection: any}} props */
export function KmsSummary({ row: kms, connection }) {
  const posture = useGet('/cckm/aws/posture', { kms: kms.name });
  const of = posture.data?.kms?.find((/** @type {any} */ one) => one.kms_id === kms.id);
  const regions = [...new Set([...(kms.regions ?? []), ...Object.keys(of?.by_region ?? {})])];
  const most = Math.max(1, ...Object.values(of?.by_region ?? {}).map(Number));
  const findings = (posture.data?.findings ?? []).filter((/** @type {any} */ one) => one.keys > 0);
  return html`<div class="body">
    ${connection?.last_connection_ok === false && html`<${Note} tone="warn" acts=${html`<a href=${`/connectionmgmt/services/aws/connections/${segment(connection.id)}`}>Open the connection</a>`}><b>The connection failed at its last test, <${Time} at=${connection.last_connection_at} />.</b> ${connection.last_connection_error}<//>`}
    <div class="columns"><div class="column">
      <${Card} title="Regions" sub=${plural(kms.regions?.length ?? 0, 'region')} flush><table class="table"><tbody>${regions.map((region) => {
        const keys = of?.by_region?.[region];
        const left = !kms.regions?.includes(region);
        return html`<tr key=${region}><td style=${{ width: '150px' }}>${left ? html`<span class="t3" data-tip="Taken away from this KMS; its keys stay, gone, until the region is back">${region}</span>` : region}</td>
          <td>${keys !== undefined && html`<${Stack} parts=${[{ value: keys, color: 'age-3', label: 'keys' }, { value: most - keys, color: 'sunken', label: 'fewer than the largest' }]} />`}</td>
          <td class="num" style=${{ width: '110px' }}><a href=${`/cckm/aws/keys${queryString({ kms: kms.name, region })}`}>${keys === undefined ? (of ? 'no key' : 'keys') : plural(keys, 'key')}</a></td></tr>`;
      })}</tbody></table><//>
      <${Card} title="Needs attention" sub=${of && `${number(of.keys_with_findings ?? 0)} of ${plural(of.keys ?? 0, 'key')}`} acts=${html`<a class="small" href=${`/cckm/aws/posture${queryString({ kms: kms.name })}`}>Posture</a>`} flush>
        ${!posture.data ? html`<div class="card-body"><${Skeleton} rows=${3} /></div>` : findings.length === 0 && html`<${Empty} icon="circle-check" title="Nothing needs attention." />`}
        <table class="table"><tbody>${findings.map((/** @type {any} */ one) => html`<tr key=${one.rule}><td><span class="cut" data-tip=${one.remedy}>${one.title}</span></td><td class="num" style=${{ width: '90px' }}><a href=${`/cckm/aws/posture${queryString({ kms: kms.name, open: one.rule })}`}>${plural(one.keys, 'key')}</a></td></tr>`)}</tbody></table><//></div>
    <div class="column"><${Card} title="What it is"><${Pairs} of=${[
        ['Account', html`<span class="mono">${kms.account_id}</span>`],
        ['Acts as', html`<${IdLine} text=${kms.arn} short what="the ARN" />`],
        kms.assume_role_arn && ['Role', html`<${IdLine} text=${kms.assume_role_arn} short what="the role" />`],
        kms.assume_role_external_id && ['External id', html`<span class="mono">${kms.assume_role_external_id}</span>`],
        ['Connection', connection ? (connection.last_connection_at ? html`tested <${Time} at=${connection.last_connection_at} />` : 'not tested yet') : kms.connection],
        kms.synced_at && ['Synchronised', html`<${Time} at=${kms.synced_at} />`],
        ['Added', html`<${Time} at=${kms.createdAt} />`],
        ['Changed', html`<${Time} at=${kms.updatedAt} />`],
        ['Id', html`<${IdLine} text=${kms.id} short what="the id" />`],
      ]} /><//>
      <${HistoryFeed} path=${`/cckm/aws/kms/${segment(kms.id)}`} most=${7} /></div></div></div>`;
}
