/** The tail of refused calls, newest first; it rests while the pointer is on it. */
import { html, useRef, useState } from '../../view.js';
import { useGet } from '../../data.js';
import { segment, queryString } from '../../lib/query.js';
import { aliasParts, number, plural, shortArn } from '../../lib/text.js';
import { clockSeconds, parse } from '../../lib/time.js';
import { keyName } from '../../lib/key.js';
import { lacksRight } from '../../rights.js';
import { Card, Empty, ErrorNote } from '../../components/bits.js';
import { Icon } from '../../components/icon.js';

/** The calls that the server keeps of a store. */
const KEPT = 200;

/** The short name of a key. @param {any} key */
const nameOf = (key) => aliasParts(keyName(key))[1] || keyName(key);

/**
 * @param {object} props
 * @param {any} props.store
 * @param {string} props.path
 * @param {any[]} props.keys those of the store
 * @param {number | undefined} props.since how many were refused since the program started
 */
export function Refused({ store, path, keys, since }) {
  const [paused, setPaused] = useState(false);
  const [over, setOver] = useState(false);
  const [key, setKey] = useState('');
  const kept = useRef(/** @type {any} */ (null));
  const read = useGet(`${path}/refused-calls`, { limit: KEPT, ...(key && { xks_key_id: key }) }, { every: 3000 });
  const resting = paused || over;
  if (read.data && !read.loading && (!resting || !kept.current || kept.current.key !== key)) kept.current = { key, data: read.data };
  const held = kept.current?.data;
  const shown = held?.resources ?? [];
  // The total stays when the oldest leaves: what is newer is counted.
  const newest = shown[0]?.at ?? '';
  const fresh = resting ? (read.data?.resources ?? []).filter((/** @type {any} */ one) => one.at > newest).length : 0;
  const byId = new Map(keys.map((one) => [one.local_hosted_params?.xks_key_id, one]));
  const lost = key === '' && since !== undefined && held ? since - held.total : 0;
  const log = !lacksRight('admin') && `/audit/records${queryString({ resource: `key-store/${store.id}`, event: 'CallsReported' })}`;
  const foot = lost > 0 && shown.length >= KEPT ? `The last ${number(KEPT)} of ${number(since ?? 0)} since the program started.` : held ? `${plural(held.total, 'call')} since the program started.` : '';
  return html`<${Card} title="Refused calls" sub=${html`<span class=${paused ? 't2' : 'danger'}>● ${paused ? 'paused' : 'live'}</span>${fresh > 0 ? ` ${fresh} new` : ''}`} acts=${html`<label class="row small"><span class="t2">Key</span><select class="select small" onChange=${(/** @type {any} */ event) => setKey(event.target.value)}><option value="" selected=${key === ''}>any</option>${keys.map((one) => html`<option value=${one.local_hosted_params?.xks_key_id} selected=${one.local_hosted_params?.xks_key_id === key}>${nameOf(one)}</option>`)}</select></label><button type="button" class="button small" aria-pressed=${paused} onClick=${() => setPaused(!paused)}><${Icon} name=${paused ? 'play' : 'pause'} size="small" />${paused ? 'Go on' : 'Pause'}</button>`} flush>
    ${read.error?.status === 404 ? html`<div class="card-body t2">This server keeps no tail of refused calls; the audit log has them.</div>` : html`<${ErrorNote} error=${read.error} />`}
    ${read.data && shown.length === 0 && html`<${Empty} icon="circle-check" title="No call was refused">since the program started${key ? ', for this key' : ''}.<//>`}
    ${shown.length > 0 && html`<div class="tail" onPointerEnter=${() => setOver(true)} onPointerLeave=${() => setOver(false)}><table class="table" aria-label="Refused calls"><thead><tr><th style=${{ width: '96px' }}>Time, UTC</th><th style=${{ width: '88px' }}>Operation</th><th>Key</th><th>Caller</th><th>Refused with</th></tr></thead><tbody>${shown.map((/** @type {any} */ one, /** @type {number} */ i) => html`<tr key=${one.at + i}><td><span class="mono t2">${clockSeconds(parse(one.at) ?? 0)}</span></td><td>${one.operation}</td><td><${Of} id=${one.xks_key_id} row=${byId.get(one.xks_key_id)} /></td><td><span class="mono cut" data-tip=${one.principal}>${one.principal ? shortArn(one.principal) : ''}</span></td><td><span class="cut" data-tip=${one.message}><span class="danger">${String(one.error).replace(/Exception$/, '')}</span> <span class="t2">${one.rule ?? ''}</span></span></td></tr>`)}</tbody></table></div>`}
    <div class="card-foot">${foot} ${log ? html`The <a href=${log}>audit log</a> has those before.` : 'The audit log has those before.'}</div><//>`;
}

/** The key of a call: what AWS names need not exist. @param {{id?: string, row?: any}} props */
function Of({ id, row }) {
  if (row) return html`<a class="accent cut" href=${`/cckm/aws/keys/${segment(row.id)}`}><bdi>${nameOf(row)}</bdi></a>`;
  return id ? html`<span class="mono t3 cut" data-tip=${id}>${id.slice(0, 8)}</span>` : '';
}
