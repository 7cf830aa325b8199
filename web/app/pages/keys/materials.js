/** The materials of a key on a time line, and as a table: is there a gap between an expiry and the next rotation? */
import { html, useState } from '../../view.js';
import { useGet } from '../../data.js';
import { lacks } from '../../rights.js';
import { segment } from '../../lib/query.js';
import { aliasParts } from '../../lib/text.js';
import { keyName, keyOrigin } from '../../lib/key.js';
import { DAY, day, parse, relative } from '../../lib/time.js';
import { Card, Chip, Empty, ErrorNote, IdLine, Note, Skeleton, State, Time, now } from '../../components/bits.js';
import { Bitting } from '../../components/charts.js';
import { ask } from '../../components/dialog.js';
import { Icon } from '../../components/icon.js';
import { Segments } from '../../components/segments.js';
import { Button } from '../../components/popup.js';
import { rotations } from './rotating.js';

const ASKED = 'This would be asked of AWS. Claviger’s own checks allow it; nothing was changed.';

/** @param {{row: any, path: string, changed: (answer: any) => void, readOnly?: boolean}} props */
export function KeyMaterials({ row: key, path, changed, readOnly }) {
  const [range, setRange] = useState('14 months');
  const read = useGet(`${path}/rotations`, { limit: 100 });
  if (read.error) return html`<div class="body"><${ErrorNote} error=${read.error} again=${read.reload} what="AWS could not be asked." /></div>`;
  if (!read.data) return html`<div class="body"><${Skeleton} rows=${6} /></div>`;
  const rows = read.data.resources ?? [];
  const next = parse(key.next_rotation_at) ?? parse(key.aws_param?.NextRotationDate);
  const expires = parse(key.valid_to) ?? parse(key.aws_param?.ValidTo);
  const gap = expires !== null && expires > now.value && (next === null || next > expires) ? { from: expires, to: next } : null;
  const brought = keyOrigin(key) === 'byok';
  const by = key.labels?.job_config_id;
  const schedule = useGet(by ? `/scheduler/job-configs/${segment(by)}` : null);
  const runs = (schedule.data?.disabled ? [] : schedule.data?.next_runs ?? []).map(parse).filter((/** @type {number | null} */ at) => at !== null).slice(0, 5);
  const lacksImport = lacks(key, 'keymaterialimport');
  const again = (/** @type {any} */ answer) => {
    if (answer) {
      changed(null);
      read.reload();
    }
  };
  const importNow = (/** @type {any} */ material) => ask({
    title: `Import material into ${keyName(key)}?`, act: 'Import the material', tone: 'ink', keep: 'Leave it', values: { source: material?.source_key_identifier ?? '', valid_to: '' },
    text: material ? 'The same material is imported again, so that it lasts longer.' : 'It is wrapped with AWS’s public key, and leaves in no other way. Without a source key a new one is made. A key that has material uses it once its material is rotated.',
    fields: (values, set) => html`<div class="field grow"><label for="import-source">Source key <span class="optional">name or id; empty makes a new one</span></label><input id="import-source" name="source_key_identifier" class="input mono" value=${values.source} onInput=${(/** @type {any} */ event) => set({ ...values, source: event.target.value })} /></div>
      <div class="field"><label for="import-until">Last day, UTC <span class="optional">optional</span></label><input id="import-until" name="valid_to" class="input" type="date" max=${new Date(now.value + 365 * DAY).toISOString().slice(0, 10)} value=${values.valid_to} onInput=${(/** @type {any} */ event) => set({ ...values, valid_to: event.target.value })} /></div>`,
    run: (values, api) => api.post(`${path}/import-material`, { source_key_identifier: values.source, ...(material ? { key_material_id: material.aws_param?.KeyMaterialId, import_type: 'EXISTING_KEY_MATERIAL' } : { import_type: 'NEW_KEY_MATERIAL' }), ...(values.valid_to ? { key_expiration: true, valid_to: `${values.valid_to}T23:59:00Z` } : {}) }),
    dry: true, says: () => ASKED,
  }).then(again);
  const drop = (/** @type {any} */ material) => ask({
    title: `Delete this material of ${keyName(key)}?`, level: 3, name: aliasParts(keyName(key))[1], act: 'Delete the material', keep: 'Keep it',
    text: 'AWS drops it at once: what it encrypted cannot be read until the same material is imported again.', run: (_, api) => api.post(`${path}/delete-material`, { key_material_id: material.aws_param?.KeyMaterialId }),
    dry: true, says: () => ASKED,
  }).then(again);
  const rotateNow = lacks(key, 'keyrotate') ? null : rotations(key, path, again).find((/** @type {any} */ item) => item.icon === 'rotate-cw')?.act;
  return html`<div class="body">
    ${gap && html`<${Note} tone="danger" acts=${!readOnly && html`${rotateNow && html`<button type="button" class="link" onClick=${rotateNow}>Rotate now</button>`}<button type="button" class="link" onClick=${() => importNow(rows.find((/** @type {any} */ one) => one.aws_param?.KeyMaterialState === 'CURRENT') ?? rows[0])}>Import again, later date</button>`}><b>${gap.to ? `This material expires ${Math.max(1, Math.round((gap.to - gap.from) / DAY))} days before the next rotation.` : 'This material expires, and no rotation is planned.'}</b> From ${day(gap.from, now.value)}${gap.to ? ` to ${day(gap.to, now.value)}` : ' on'} AWS could not use this key: its state would be PendingImport.<//>`}
    ${rows.length === 0 ? html`<${Empty} icon="history" title="AWS lists no materials">It keeps a list of symmetric encryption keys alone.<//>`
      : html`<${Card} title="Time line" sub="each bar is one material; the shape is its id, cut as a key; dots: still decrypts" acts=${html`<${Segments} small label="Range" value=${range} onChange=${setRange} options=${[['90 d', '90 d'], ['14 months', '14 months'], ['All', 'All']]} />`} flush>
        <${TimeLine} rows=${rows.filter((/** @type {any} */ one) => one.aws_param?.KeyMaterialState !== 'PENDING_ROTATION')} range=${range} next=${next} expires=${expires} begun=${parse(key.aws_param?.CreationDate)} /><//>
      <${Card} title="Materials" sub=${`${read.data.total} in AWS, asked just now`} acts=${brought && !readOnly && html`<${Button} class="small" icon="upload" missing=${lacksImport} onClick=${() => importNow(null)}>Import material…<//>`} flush>
        <table class="table" aria-label="Materials"><thead><tr><th style=${{ width: '76px' }}></th><th style=${{ width: '160px' }}>Material id</th><th>State</th><th>Source key</th><th>Since</th><th style=${{ width: '130px' }}>How</th><th>Expires</th><th style=${{ width: '250px' }}><span class="unseen">Acts</span></th></tr></thead><tbody>${rows.map((/** @type {any} */ one) => {
          const aws = one.aws_param ?? {};
          const current = (aws.KeyMaterialState ?? '').toUpperCase() === 'CURRENT' || aws.KeyMaterialId === key.aws_param?.CurrentKeyMaterialId;
          return html`<tr key=${one.id}><td><${Bitting} hash=${aws.KeyMaterialId ?? ''} /></td><td><${IdLine} text=${aws.KeyMaterialId ?? ''} short what="the id of the material" /></td><td><${State} ...${materialState(aws, current)} /></td>
            <td>${one.source_key_identifier ? html`<a class="accent" href=${`/vault/keys2/${segment(one.source_key_identifier)}`}><bdi>${one.source_key_name ?? one.source_key_identifier.slice(0, 8)}</bdi></a>` : html`<span class="t3">made by AWS</span>`}</td><td><${Time} at=${aws.RotationDate ?? one.createdAt} /></td><td class="t2">${howOf(one, brought)}</td><td><${Time} at=${aws.ValidTo} none="never" /></td>
            <td class="right">${brought && !readOnly && html`<${Button} class="small quiet" missing=${lacksImport} onClick=${() => importNow(one)}>Import again<//><${Button} class="small quiet danger" missing=${lacks(key, 'keymaterialdelete')} onClick=${() => drop(one)}>Delete…<//>`}</td></tr>`;
        })}</tbody></table><//>`}
    ${by && html`<div class="row wide wrap"><span class="row t2"><${Icon} name="calendar-clock" size="small" /><span>Rotated by <a href=${`/scheduler/job-configs?open=${encodeURIComponent(by)}`}><bdi>${schedule.data?.name ?? 'a schedule'}</bdi></a>${schedule.data?.disabled ? ', which is off' : schedule.data?.run_at_words && `, ${schedule.data.run_at_words} UTC`}</span></span>${runs.length > 0 && html`<span class="row end small t2">Next ${runs.length === 1 ? 'run' : runs.length} ${runs.map((/** @type {number} */ at) => html`<${Chip}>${day(at, now.value)}<//>`)}</span>`}</div>`}</div>`;
}

/** How a material came. @param {any} one @param {boolean} brought */
function howOf({ aws_param: aws = {} }, brought) {
  if (aws.RotationType === 'AUTOMATIC') return 'AWS, by itself';
  if (aws.RotationType === 'ON_DEMAND') return brought ? 'imported' : 'asked for';
  return brought ? 'first import' : 'with the key';
}

/** A material that AWS has dropped is current no less: the key waits for it. @param {any} aws @param {boolean} current */
const materialState = (aws, current) => (aws.ImportState === 'PENDING_IMPORT' ? { state: 'PendingImport', word: 'Pending import' } : current ? { state: 'Enabled', word: 'Current' } : aws.KeyMaterialState === 'PENDING_ROTATION' ? { state: 'Disabled', word: 'Pending rotation' } : { state: 'Disabled', word: 'Non-current' });

const MONTH = 30.44 * DAY;

/** @param {{rows: any[], range: string, next: number | null, expires: number | null, begun: number | null}} props */
function TimeLine({ rows, range, next, expires, begun }) {
  const today = now.value;
  const starts = rows.map((one) => parse(one.aws_param?.RotationDate) ?? parse(one.createdAt) ?? begun ?? today);
  const ahead = Math.max(today + (range === '90 d' ? 30 : 90) * DAY, ...[next, expires].filter((at) => at !== null && at < today + 400 * DAY).map((at) => Number(at) + 20 * DAY));
  const from = range === '90 d' ? today - 90 * DAY : range === 'All' ? Math.min(today - 30 * DAY, ...starts) : Math.max(Math.min(...starts, today - 60 * DAY), today - 11 * MONTH);
  const at = (/** @type {number} */ time) => `${Math.min(100, Math.max(0, ((time - from) / (ahead - from)) * 100))}%`;
  const months = [];
  for (let month = new Date(from); months.length < 200;) {
    month = new Date(Date.UTC(month.getUTCFullYear(), month.getUTCMonth() + 1, 1));
    if (month.getTime() > ahead) break;
    months.push(month.getTime());
  }
  const every = Math.max(1, Math.ceil(months.length / 12));
  const mark = (/** @type {number} */ time, /** @type {string} */ kind, /** @type {string} */ text) => time > from && time < ahead && html`<span class=${`time-mark ${kind}`} style=${{ insetInlineStart: at(time) }}><i>${text}</i></span>`;
  return html`<div class="time-line" role="img" aria-label=${`${rows.length} materials; the current one since ${relative(starts[0], today)}${expires ? `, expires ${relative(expires, today)}` : ''}${next ? `, next rotation ${relative(next, today)}` : ''}`}>
    <div class="time-names">${rows.slice(0, 12).map((one) => html`<div><${Bitting} hash=${one.aws_param?.KeyMaterialId ?? ''} /><span class="mono">${(one.aws_param?.KeyMaterialId ?? '').slice(0, 8)}</span></div>`)}</div>
    <div class="time-chart">${months.filter((_, i) => i % every === 0).map((month) => html`<span class="time-month" style=${{ insetInlineStart: at(month) }}><i>${day(month, today).replace(/^1 /, '')}</i></span>`)}
      ${rows.slice(0, 12).map((_, i) => {
        const begin = starts[i];
        const end = i === 0 ? today : starts[i - 1];
        return html`<div class="time-row"><span class=${`time-bar ${i === 0 ? 'current' : ''}`} style=${{ insetInlineStart: at(begin), width: `calc(${at(end)} - ${at(begin)})` }} /><span class="time-start" style=${{ insetInlineStart: at(begin) }} />
          ${i > 0 && html`<span class="time-dots" style=${{ insetInlineStart: at(end), width: `calc(${at(today)} - ${at(end)})` }} />`}${i === 0 && html`<span class="time-bar ahead" style=${{ insetInlineStart: at(today), width: `calc(${at(Math.min(expires ?? next ?? ahead, next ?? ahead, ahead))} - ${at(today)})` }} />`}</div>`;
      })}
      ${expires !== null && next !== null && next > expires && html`<span class="time-gap" style=${{ insetInlineStart: at(expires), width: `calc(${at(next)} - ${at(expires)})` }} />`}
      ${mark(today, 'today', 'today')}${expires !== null && mark(expires, 'expiry', `expires ${day(expires, today)}`)}${next !== null && mark(next, 'next', `rotation ${day(next, today)}`)}</div></div>`;
}
