/** Where the keys are: KMSs and regions; each field leads to its keys. */
import { html } from '../../view.js';
import { useGet } from '../../data.js';
import { queryString, segment } from '../../lib/query.js';
import { number } from '../../lib/text.js';
import { Card, Shape } from '../../components/bits.js';

/** Up to so many keys with a finding their places are read, for the small numbers. */
const MOST = 2000;
/** The regions with most keys have a column. */
const REGIONS = 8;

/** @param {{posture: any, kms: any[]}} props */
export function Grid({ posture, kms }) {
  const found = useGet(posture.keys_with_findings > 0 && posture.keys_with_findings <= MOST ? '/cckm/aws/posture/findings/any' : null, { fields: 'kms_id,region', limit: MOST });
  const findings = /** @type {Record<string, number>} */ ({});
  for (const { kms_id: id, region } of found.data?.resources ?? []) findings[`${id} ${region}`] = (findings[`${id} ${region}`] ?? 0) + 1;
  const used = Object.entries(posture.by_region ?? {});
  const regions = used.sort((a, b) => Number(b[1]) - Number(a[1])).slice(0, REGIONS).map(([region]) => region).sort();
  const counted = new Map((posture.kms ?? []).map((/** @type {any} */ one) => [one.kms_id, one]));
  const most = Math.max(1, ...(posture.kms ?? []).flatMap((/** @type {any} */ one) => Object.values(one.by_region ?? {})));
  return html`<${Card} title="Where the keys are" sub="keys by KMS and region; the small number has a finding" flush><div class="grid-wrap" tabindex="0" aria-label="Keys by KMS and region"><table class="heat"><thead><tr><th></th>${regions.map((region) => html`<th scope="col" key=${region}>${region}</th>`)}<th scope="col" class="right">keys</th></tr></thead>
    <tbody>${kms.slice(0, 12).map((one) => {
      const of = counted.get(one.id) ?? {};
      const archived = String(one.status).toLowerCase() === 'archived';
      return html`<tr key=${one.id}><th scope="row"><a class="row plain" href=${`/cckm/aws/kms/${segment(one.id)}`}><${Shape} shape=${archived ? 'ring' : 'disc'} tone=${archived ? 't2' : 'ok'} /><span class="cut"><bdi class="strong cut">${one.name}</bdi><br /><span class="small t2">${one.account_id}</span></span></a></th>
        ${regions.map((region) => {
          const count = of.by_region?.[region] ?? 0;
          const managed = one.regions?.includes(region);
          const bad = findings[`${one.id} ${region}`] ?? 0;
          const share = count === 0 ? 0 : 16 + Math.round((count / most) * 30);
          return html`<td key=${region}>${count > 0 || managed ? html`<a class="field-of" href=${`/cckm/aws/keys${queryString({ kms: one.name, region })}`} style=${{ background: share ? `color-mix(in srgb, var(--age-2) ${share}%, var(--surface))` : undefined }}>${number(count)}<span class="unseen"> ${count === 1 ? 'key' : 'keys'} of ${one.name} in ${region}${bad > 0 ? ', ' : ''}</span>${bad > 0 && html`<sup>${number(bad)}<span class="unseen"> with a finding</span></sup>`}</a>` : html`<span class="field-of none"></span>`}</td>`;
        })}
        <td class="right"><b>${number(of.keys ?? 0)}</b>${of.keys_with_findings > 0 && html`<sup class="danger">${number(of.keys_with_findings)}</sup>`}</td></tr>`;
    })}</tbody></table></div>${(kms.length > 12 || used.length > REGIONS) && html`<div class="card-foot">${kms.length > 12 && html`<a class="link" href="/cckm/aws/kms">All ${number(kms.length)} KMSs</a> `}${used.length > REGIONS && html`<span class="t2">The ${REGIONS} of ${number(used.length)} regions that have most keys</span>`}</div>`}<//>`;
}
