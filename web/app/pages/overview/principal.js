/** "What may this principal use?": the keys that a user, a role, an account or a service may use by their policies, and how. */
import { html, useState } from '../../view.js';
import { useGet } from '../../data.js';
import { segment } from '../../lib/query.js';
import { number, plural } from '../../lib/text.js';
import { principalWords } from '../../lib/policy.js';
import { ErrorNote, Name, Skeleton } from '../../components/bits.js';
import { Icon } from '../../components/icon.js';

/** How it may use a key, by the decision of the API. @type {Record<string, [string, string]>} */
const HOW = {
  allowed: ['may use it', 'ok'], depends: ['if the conditions of the policy are met', 'warn'], iam_decides: ['if its own policies in IAM allow it', 't2'],
  not_known: ['not known: a part of the policy could not be read', 'warn'],
};

/** @param {{principal: string}} props */
export function KeysOf({ principal }) {
  const [limit, setLimit] = useState(6);
  const read = useGet('/cckm/aws/access', { principal, limit });
  if (read.error) return html`<${ErrorNote} error=${read.error} again=${read.reload} />`;
  if (!read.data) return html`<${Skeleton} rows=${3} />`;
  const rows = read.data.resources;
  return html`<ul class="answers">
    <li class="row"><${Icon} name="user" /><bdi class="strong cut" data-tip=${principal}>${principalWords(principal)}</bdi><span class="end t2">${rows.length === 0 ? 'may use no key' : plural(read.data.total, 'key')}</span></li>
    ${rows.map((/** @type {any} */ row) => {
      const [words, tone] = HOW[row.decision.use] ?? [row.decision.use, 't2'];
      return html`<li class="row" key=${row.id}><${Icon} name="key-round" /><a class="cut" href=${`/cckm/aws/keys/${segment(row.id)}?tab=access`}>${row.alias?.[0] ? html`<${Name} text=${row.alias[0]} />` : html`<span class="mono">${row.id.slice(0, 8)}</span>`}</a><span class=${`end cut ${tone}`}>${words}${row.decision.administer === 'allowed' && html`, and administer it`}</span></li>`;
    })}
    ${read.data.total > rows.length && html`<li><button type="button" class="link" onClick=${() => setLimit(limit + 50)}>Show more, ${number(read.data.total - rows.length)} are left</button></li>`}</ul>
    <p class="small t2">By the policies of the keys that you may see; grants are not asked for.</p>`;
}
