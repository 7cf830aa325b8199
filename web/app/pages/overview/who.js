/** "Who may use what?": a key in, who may use it out; a principal in, what it may use. */
import { html, useState } from '../../view.js';
import { api } from '../../api.js';
import { segment } from '../../lib/query.js';
import { plural, shortArn } from '../../lib/text.js';
import { keyName } from '../../lib/key.js';
import { Card, ErrorNote } from '../../components/bits.js';
import { Icon } from '../../components/icon.js';
import { Lazy } from '../../components/lazy.js';

/** What is a user, a role, a session, an account or a service of AWS, and no key. */
const PRINCIPAL = /^(arn:[^:]+:(iam|sts)::|\d{12}$)|\.amazonaws\.com(\.cn)?$/;

export function WhoMayUse() {
  const [text, setText] = useState('');
  const [found, setFound] = useState(/** @type {any} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  const ask = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const asked = text.trim();
    if (asked === '' || busy) return;
    if (PRINCIPAL.test(asked)) {
      setError(null);
      return setFound({ principal: asked });
    }
    setBusy(true);
    setError(null);
    try {
      const member = asked.startsWith('arn:') ? 'arn' : /^(mrk-)?[0-9a-f]{8}-?[0-9a-f-]{20,}$/.test(asked) ? 'keyid' : 'alias';
      const keys = await api.get('/cckm/aws/keys', { [member]: member === 'alias' && !asked.startsWith('alias/') ? `alias/${asked}` : asked, limit: 2 });
      if (keys.total === 0) setFound({ none: asked });
      else {
        const key = keys.resources[0];
        setFound({ key, more: keys.total - 1, access: await api.get(`/cckm/aws/keys/${segment(key.id)}/access`) });
      }
    } catch (failed) {
      setError(failed);
    }
    return setBusy(false);
  };
  return html`<${Card} title="Who may use what?"><form class="column" onSubmit=${ask}><div class="input"><${Icon} name="search" /><input class="mono" aria-label="A key, or the ARN of a user or role" placeholder="alias/cards, or the ARN of a user or role" value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)} spellcheck="false" autocomplete="off" /><kbd>Enter</kbd></div>
    <${ErrorNote} error=${error} />
    ${found?.none && html`<p class="t2">No key that you may see is called <bdi class="mono">${found.none}</bdi>.</p>`}
    ${found?.access && html`<${Answer} found=${found} />`}
    ${found?.principal && html`<${Lazy} key=${found.principal} load=${() => import('./principal.js').then((file) => file.KeysOf)} principal=${found.principal} />`}
    ${!found && !error && html`<p class="t2">Of a key: from its policy, its grants, and the rights here. Of a user or role: from the policies of the keys.</p>`}</form><//>`;
}

/** @param {{found: any}} props */
function Answer({ found }) {
  const { key, access, more } = found;
  const allows = (access.entries ?? []).filter((/** @type {any} */ entry) => entry.effect === 'allow' && entry.applies !== false && (entry.actions?.use?.length ?? 0) > 0);
  const own = allows.filter((/** @type {any} */ entry) => entry.source?.type !== 'grant' && entry.kind !== 'everyone' && entry.account === key.account_id && entry.kind !== 'account');
  const iam = allows.filter((/** @type {any} */ entry) => entry.kind === 'account' && entry.account === key.account_id);
  const other = allows.filter((/** @type {any} */ entry) => entry.account && entry.account !== key.account_id);
  const everyone = allows.filter((/** @type {any} */ entry) => entry.kind === 'everyone');
  const grants = (access.entries ?? []).filter((/** @type {any} */ entry) => entry.source?.type === 'grant');
  const people = access.managed_by ?? [];
  const line = (/** @type {string} */ icon, /** @type {any} */ text, /** @type {any} */ end, tone = 't2') => html`<li class="row"><${Icon} name=${icon} /><span class="cut">${text}</span><span class=${`end mono cut ${tone}`}>${end}</span></li>`;
  const names = (/** @type {any[]} */ of) => `${shortArn(String(of[0].principal)).split(/[:/]/).pop()}${of.length > 1 ? ` +${of.length - 1}` : ''}`;
  return html`<ul class="answers">
    <li class="row"><a href=${`/cckm/aws/keys/${segment(key.id)}?tab=access`}>${keyName(key)}</a><span class="t2 cut">${key.kms}, ${key.region}${more > 0 ? `, and ${more} more of this name` : ''}</span></li>
    ${everyone.length > 0 && line('triangle-alert', html`<b class="danger">Everyone</b> may use it`, everyone[0].conditions?.length ? 'with conditions' : '', 'danger')}
    ${own.length > 0 && line('user', html`<b>${plural(own.length, 'principal')}</b> may use it`, names(own))}
    ${other.length > 0 && line('globe', html`<b>${plural(other.length, 'other principal')}</b> of other accounts`, other[0].account, 'warn')}
    ${iam.length > 0 && line('cloud', html`<b>IAM decides</b> for the account`, key.account_id)}
    ${grants.length > 0 && line('link', html`<b>${plural(grants.length, 'grant')}</b>`, names(grants))}
    ${allows.length === 0 && grants.length === 0 && line('lock', 'Nobody is named by its policy', '')}
    ${people.length > 0 && line('users', html`<b>${plural(people.length, 'person or group', 'people and groups')}</b> may change it through Claviger`, html`<a href=${`/cckm/aws/keys/${segment(key.id)}?tab=access`}>All of it</a>`)}</ul>`;
}
