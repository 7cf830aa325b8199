/** The summary of the past: then and now side by side, who could do what then, and the history. */
import { html } from '../../view.js';
import { withQuery } from '../../router.js';
import { difference, keyOf } from '../../lib/acl.js';
import { plural } from '../../lib/text.js';
import { Avatar, Card, Chip, Empty } from '../../components/bits.js';
import { HistoryFeed } from './feed.js';
import { KmsState } from './list.js';
import { usePeople } from './people.js';

/** @param {any} kms */
const permissions = (kms) => kms.acls?.reduce((/** @type {number} */ sum, /** @type {any} */ acl) => sum + acl.actions.length, 0) ?? 0;

/** @param {{then: any, now: any, path: string}} props now: null if it was deleted since */
export function ThenAndNow({ then, now, path }) {
  const people = usePeople();
  const changes = now ? difference(then.acls ?? [], now.acls ?? []) : [];
  const regions = (/** @type {string[]} */ a, /** @type {string[]} */ b, /** @type {string} */ sign, /** @type {string} */ tone) => html`<span class="row wrap">${a.filter((one) => b.includes(one) || sign === '').map((one) => html`<${Chip}>${one}<//>`)}${sign !== '' && a.filter((one) => !b.includes(one)).map((one) => html`<${Chip} tone=${tone}>${sign} ${one}<//>`)}</span>`;
  const gone = now && then.regions.filter((/** @type {string} */ one) => !now.regions.includes(one));
  /** @type {Array<{title: string, then: any, now: any, same: boolean}>} */
  const rows = now ? [
    { title: 'Regions', same: then.regions.join() === now.regions.join(), then: regions(then.regions, [], '', ''), now: html`<span class="row wrap">${regions(now.regions, then.regions, '+', 'ok')}${gone.map((/** @type {string} */ one) => html`<${Chip} tone="danger">− ${one}<//>`)}</span>` },
    { title: 'Rights', same: changes.length === 0, then: `${plural(then.acls?.length ?? 0, 'entry', 'entries')}, ${plural(permissions(then), 'permission')}`, now: html`${plural(now.acls?.length ?? 0, 'entry', 'entries')}, ${plural(permissions(now), 'permission')}${changes.slice(0, 4).map((one) => html`<div class="row wrap"><bdi>${people.nameOf(one.key)}</bdi>${some(one.gains, '+', 'ok')}${some(one.loses, '−', 'danger')}</div>`)}${changes.length > 4 && html`<div class="t2">and ${plural(changes.length - 4, 'more entry', 'more entries')}</div>`}` },
    { title: 'Connection', same: then.connection === now.connection, then: html`<bdi>${then.connection}</bdi>`, now: html`<bdi>${now.connection}</bdi>` },
    { title: 'Acts as', same: then.arn === now.arn, then: html`<span class="mono break">${then.arn}</span>`, now: html`<span class="mono break">${now.arn}</span>` },
    { title: 'Role', same: (then.assume_role_arn ?? '') === (now.assume_role_arn ?? ''), then: html`<span class="mono break">${then.assume_role_arn ?? 'none'}</span>`, now: html`<span class="mono break">${now.assume_role_arn ?? 'none'}</span>` },
    { title: 'Status', same: then.status === now.status, then: html`<${KmsState} row=${then} />`, now: html`<${KmsState} row=${now} />` },
  ] : [];
  const differ = rows.filter((row) => !row.same).length;
  return html`<div class="body"><div class="columns wide top"><div class="column">
    <${Card} title="Then and now" sub=${now ? `${differ} of ${rows.length} differ` : 'It was deleted since.'} flush>${now && html`<table class="table then-now"><thead><tr><th scope="col" style=${{ width: '120px' }}></th><th scope="col" class="past">Then</th><th scope="col">Now</th></tr></thead>
      <tbody>${rows.map((row) => html`<tr key=${row.title} class=${row.same ? '' : 'differs'}><th scope="row">${row.title}</th><td>${row.then}</td><td>${row.same ? html`<span class="t2">the same</span>` : row.now}</td></tr>`)}</tbody></table>`}<//>
    <${Card} title="Who could do what, then" sub=${plural(then.acls?.length ?? 0, 'entry', 'entries')} acts=${html`<a class="small" href=${withQuery({ tab: 'rights' })}>As a matrix</a>`} flush>
      ${(then.acls?.length ?? 0) === 0 ? html`<${Empty} icon="users" title="Nobody but CCKM Admins.">Members of admin and CCKM Admins may do everything.<//>` : html`<table class="table"><thead><tr><th scope="col" style=${{ width: '220px' }}>Who</th><th scope="col">Actions</th></tr></thead><tbody>${then.acls.map((/** @type {any} */ acl) => {
        const key = keyOf(acl);
        return html`<tr key=${key}><td><span class="row"><${Avatar} name=${people.nameOf(key)} group=${key.startsWith('g:')} /><bdi class="strong cut">${people.nameOf(key)}</bdi></span></td><td><span class="row">${some(acl.actions, '', '')}</span></td></tr>`;
      })}</tbody></table>`}<//></div>
    <${HistoryFeed} path=${path} most=${14} /></div></div>`;
}

/** A few actions as chips, the rest counted. @param {string[]} actions @param {string} sign @param {string} tone */
const some = (actions, sign, tone, most = sign === '' ? 4 : 2) => html`${actions.slice(0, most).map((action) => html`<${Chip} key=${action} tone=${tone}>${sign} ${action}<//>`)}${actions.length > most && html`<span class="small t2" data-tip=${actions.slice(most).join(', ')}>+${actions.length - most}</span>`}`;
