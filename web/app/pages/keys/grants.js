/** The grants of a key, from AWS. */
import { html } from '../../view.js';
import { useGet } from '../../data.js';
import { principalWords } from '../../lib/policy.js';
import { Card, Chip, Empty, ErrorNote, IdLine, Skeleton, Time } from '../../components/bits.js';

/** @param {{path: string}} props */
export function KeyGrants({ path }) {
  const read = useGet(`${path}/grants`, { limit: 100 });
  const rows = (read.data?.resources ?? []).map((/** @type {any} */ one) => ({ ...one, ...one.aws_param }));
  return html`<div class="body">${read.error ? html`<${ErrorNote} error=${read.error} again=${read.reload} what="AWS could not be asked." />` : !read.data ? html`<${Skeleton} rows=${4} />` : rows.length === 0 ? html`<${Empty} icon="link" title="No grants">A grant lets a principal use the key without a word in its policy; services make them.<//>`
    : html`<${Card} title="Grants" sub=${`${read.data.total} in AWS, asked just now`} flush><table class="table" aria-label="Grants"><thead><tr><th>To</th><th style=${{ width: '32%' }}>May</th><th>Retired by</th><th style=${{ width: '150px' }}>Since</th><th style=${{ width: '170px' }}>Grant</th></tr></thead><tbody>${rows.map((/** @type {any} */ one) => html`<tr key=${one.GrantId}><td><span class="cut" data-tip=${one.GranteePrincipal}>${principalWords(String(one.GranteePrincipal ?? ''))}</span></td><td><span class="row">${(one.Operations ?? []).slice(0, 3).map((/** @type {string} */ name) => html`<${Chip}>${name}<//>`)}${one.Operations?.length > 3 && html`<span class="t3" data-tip=${one.Operations.join(', ')}>+${one.Operations.length - 3}</span>`}</span></td><td><span class="t2 cut" data-tip=${one.RetiringPrincipal}>${one.RetiringPrincipal ? principalWords(one.RetiringPrincipal) : ''}</span></td><td><${Time} at=${one.CreationDate} none="" /></td><td>${one.Name && html`<bdi class="strong">${one.Name}</bdi> `}<${IdLine} text=${one.GrantId ?? ''} short /></td></tr>`)}</tbody></table><//>`}</div>`;
}
