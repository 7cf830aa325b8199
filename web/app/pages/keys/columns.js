/** The columns of lists of keys; tabs of other pages that show keys use them too. */
import { html } from '../../view.js';
import { useGet } from '../../data.js';
import { aliasParts, shortId } from '../../lib/text.js';
import { keyAge, keyName, keyOrigin, keyState, rotatedBy } from '../../lib/key.js';
import { DAY, day, parse, span } from '../../lib/time.js';
import { AgeBar } from '../../components/charts.js';
import { Name, Origin, State, Time, now } from '../../components/bits.js';
import { Icon } from '../../components/icon.js';
import { isTablet } from '../../width.js';

/** The state in words: a deletion says when. @param {{row: any}} props */
export function KeyState({ row }) {
  const state = keyState(row);
  const due = parse(row.aws_param?.DeletionDate);
  return html`<${State} state=${state} word=${state === 'PendingDeletion' && due !== null ? `Deletion in ${span(Math.max(0, due - now.value))}` : undefined} />`;
}

/** Why nothing rotates a key, where that is as it should be. @type {Record<string, string>} */
const RESTING = { ending: 'not before its deletion', replica: 'with its primary key', replaced: 'replaced, only decrypts', unlinked: 'not in AWS yet' };

/** How often AWS rotates a key. @param {any} row */
function every(row) {
  const days = row.aws_param?.RotationPeriodInDays ?? 365;
  return days === 365 ? ', yearly' : `, every ${days} d`;
}

/** The name of a schedule; the names of all are read once. @param {{id: string | undefined}} props */
function ScheduleName({ id }) {
  const read = useGet(id ? '/scheduler/job-configs' : null, { operation: 'cckm_key_rotation', fields: 'id,name', sort: 'name', limit: 200 });
  const name = read.data?.resources.find((/** @type {any} */ one) => one.id === id)?.name;
  return name ? html`<bdi>${name}</bdi>` : 'schedule';
}

/** @param {{row: any, short?: boolean}} props */
export function Rotation({ row, short }) {
  const by = rotatedBy(row);
  const next = parse(row.next_rotation_at) ?? parse(row.aws_param?.NextRotationDate);
  const when = !short && next !== null ? html`<span class="t3">, ${day(next, now.value)}</span>` : '';
  if (by === 'schedule') return html`<span><${ScheduleName} id=${row.labels?.job_config_id} />${when}</span>`;
  if (by === 'aws') return html`<span>AWS${short ? '' : every(row)}${when}</span>`;
  if (by === 'theirs') return html`<span class="t3">${short ? 'AWS' : 'AWS manages it'}</span>`;
  if (by !== 'nothing') return html`<span class="t3">${RESTING[by]}</span>`;
  return html`<span class="danger row"><${Icon} name="triangle-alert" size="small" />${short ? 'nothing' : 'Nothing rotates it'}</span>`;
}

/** @type {import('../../components/list/table.js').Column[]} */
export const KEY_COLUMNS = [
  { id: 'alias', title: 'Alias', sort: 'alias', cell: (row) => html`<${Name} text=${keyName(row)} />`, second: (row) => html`<span class="mono">${shortId(row.aws_param?.KeyID ?? row.id)}</span>, ${row.region}` },
  { id: 'keyid', title: 'Key id', width: 92, sort: 'keyid', leaves: 1, cell: (row) => html`<span class="mono t2" data-tip=${row.aws_param?.KeyID}>${shortId(row.aws_param?.KeyID ?? '')}</span>` },
  { id: 'state', title: 'State', width: 132, sort: 'keystate', cell: (row) => html`<${KeyState} row=${row} />` },
  { id: 'spec', title: 'Spec', width: 158, sort: 'key_spec', leaves: 1, cell: (row) => html`<span class="mono t2">${row.aws_param?.CustomerMasterKeySpec ?? row.aws_param?.KeySpec}</span>` },
  { id: 'origin', title: 'Origin', width: 86, sort: 'origin', cell: (row) => html`<${Origin} origin=${keyOrigin(row)} />` },
  { id: 'kms', title: 'KMS', width: 120, sort: 'kms', hidden: true, cell: (row) => html`<span class="t2">${row.kms}</span>` },
  { id: 'region', title: 'Region', width: 106, sort: 'region', leaves: 2, cell: (row) => row.region },
  { id: 'age', title: 'Age of material', width: 156, sort: 'material_since', cell: (row) => html`<${AgeBar} age=${keyAge(row, now.value)} next=${nextDays(row)} />` },
  { id: 'rotation', title: 'Rotation', width: isTablet.value ? 120 : 196, sort: 'rotated_by', cell: (row) => html`<${Rotation} row=${row} short=${isTablet.value} />` },
  { id: 'description', title: 'Description', hidden: true, sort: 'description', cell: (row) => html`<bdi class="t2">${row.aws_param?.Description}</bdi>` },
  { id: 'expires', title: 'Material expires', width: 140, hidden: true, sort: 'ValidTo', cell: (row) => html`<${Time} at=${row.aws_param?.ValidTo} />` },
  { id: 'used', title: 'Last used', width: 130, hidden: true, cell: (row) => html`<${Time} at=${row.last_used_at} none=${row.usage_tracked_since ? 'not seen' : 'not known'} />` },
  { id: 'tags', title: 'Tags', width: 160, hidden: true, cell: (row) => html`<span class="t2">${(row.aws_param?.Tags ?? []).map((/** @type {any} */ tag) => `${tag.TagKey}=${tag.TagValue}`).join(', ')}</span>` },
  { id: 'synced', title: 'Read from AWS', width: 130, hidden: true, sort: 'synced_at', cell: (row) => html`<${Time} at=${row.synced_at} />` },
];

/** @param {any} row */
function nextDays(row) {
  const next = parse(row.next_rotation_at) ?? parse(row.aws_param?.NextRotationDate);
  return next === null ? null : (next - now.value) / DAY;
}

/** `alias/` and the name. @param {any} key */
export function KeyTitle({ row }) {
  const [prefix, name] = aliasParts(keyName(row));
  return html`<bdi>${prefix && html`<span class="prefix">${prefix}</span>`}${name}</bdi>`;
}
