/** Rotation of one key: its material, a new key in its place, by AWS, by a schedule. */
import { html } from '../../view.js';
import { api } from '../../api.js';
import { shared } from '../../data.js';
import { lacks } from '../../rights.js';
import { keyName, keyOrigin, keyState } from '../../lib/key.js';
import { DAY } from '../../lib/time.js';
import { now } from '../../components/bits.js';
import { ask } from '../../components/dialog.js';
import { act } from '../../components/over.js';

/** A field of a question. @param {string} id @param {any} label @param {any} optional @param {any} control */
const field = (id, label, optional, control) => html`<div class="field grow"><label for=${id}>${label} ${optional && html`<span class="optional">${optional}</span>`}</label>${control}</div>`;

/** The source key of the new material. @param {any} values @param {(values: any) => void} set @param {string} which what names it */
const source = (values, set, which) => field('rotate-source', 'Source key', which, html`<input id="rotate-source" name="source_key_identifier source_key_id" class="input mono" value=${values.source} onInput=${(/** @type {any} */ event) => set({ ...values, source: event.target.value })} />`);

/** The source key and the last day, of keys that take material from here. @param {any} values @param {(values: any) => void} set */
const material = (values, set) => html`${source(values, set, 'name or id; empty makes a new one')}
  ${field('rotate-until', 'Last day, UTC', 'optional', html`<input id="rotate-until" name="valid_to" class="input" type="date" max=${new Date(now.value + 365 * DAY).toISOString().slice(0, 10)} value=${values.until} onInput=${(/** @type {any} */ event) => set({ ...values, until: event.target.value })} />`)}`;

const expiry = (/** @type {any} */ values) => (values.until ? { key_expiration: true, valid_to: `${values.until}T23:59:00Z` } : {});

/** The entries of the menu Rotate. @param {any} key @param {string} path @param {(answer: any) => void} done @returns {import('../../components/popup.js').MenuItem[]} */
export function rotations(key, path, done) {
  const name = keyName(key);
  const origin = keyOrigin(key);
  const missing = lacks(key, 'keyrotate');
  const update = lacks(key, 'keyupdate');
  const brought = origin === 'byok';
  const automatic = key.aws_param?.KeyRotationEnabled;
  const scheduled = key.rotation_job_enabled || key.labels?.job_config_id;
  const symmetric = (key.aws_param?.CustomerMasterKeySpec ?? key.aws_param?.KeySpec) === 'SYMMETRIC_DEFAULT';
  const ours = key.aws_param?.KeyManager !== 'AWS';

  const asked = 'This would be asked of AWS. Claviger’s own checks allow it; nothing was changed.';
  const rotateMaterial = () => ask({
    title: `Rotate the material of ${name}?`, act: 'Rotate the material', tone: 'ink', keep: 'Leave it', values: { source: '', until: '' },
    text: brought ? 'New material is imported and used from then on; what is there stays readable. The id and the ARN stay.' : 'AWS encrypts with new material from then on; what is there stays readable. The id and the ARN stay.',
    fields: brought ? material : undefined,
    run: (values, api) => api.post(`${path}/rotate-material`, brought ? { ...(values.source && { source_key_identifier: values.source }), ...expiry(values) } : {}),
    dry: true, says: () => asked,
  }).then(done);
  const rotate = () => ask({
    title: origin === 'hyok' ? `Make a new version of ${name}?` : `Replace ${name} by a new key?`, act: origin === 'hyok' ? 'Make the version' : 'Replace the key', tone: origin === 'hyok' ? 'ink' : 'block', keep: 'Leave it', values: { source: '', until: '', off: 'none' },
    text: origin === 'hyok' ? 'A further version of its material encrypts from then on; each earlier one decrypts what it has encrypted.' : 'A new key takes its aliases. The old key stays, so that what it encrypted stays readable.',
    fields: (values, set) => html`${brought && material(values, set)}${origin === 'hyok' && source(values, set, 'its id; empty makes a new version')}${origin !== 'hyok' && field('rotate-off', 'The old key', '', html`<select id="rotate-off" class="select" onChange=${(/** @type {any} */ event) => set({ ...values, off: event.target.value })}>${[['none', 'may go on encrypting'], ['disable_encrypt', 'only decrypts, for its account'], ['disable_encrypt_on_all_accounts', 'only decrypts, for all accounts']].map(([value, text]) => html`<option value=${value} selected=${value === values.off}>${text}</option>`)}</select>`)}`,
    run: (values, api) => api.post(`${path}/rotate`, { ...(values.source && { source_key_id: values.source }), ...(origin !== 'hyok' && values.off !== 'none' && { [values.off]: true }), ...(brought ? expiry(values) : {}) }),
  }).then(done);
  const awsOn = () => ask({
    title: `Have AWS rotate ${name}?`, act: 'Have AWS rotate it', tone: 'ink', keep: 'Leave it', values: { days: 365 }, text: 'AWS makes new material each period. It keeps the old, so that everything stays readable.',
    fields: (values, set) => field('rotate-days', 'Every so many days', '90 to 2560', html`<input id="rotate-days" name="rotation_period_in_days" class="input" type="number" min="90" max="2560" value=${values.days} onInput=${(/** @type {any} */ event) => set({ days: Number(event.target.value) })} />`),
    run: (values, api) => api.post(`${path}/enable-auto-rotation`, { rotation_period_in_days: values.days }),
    dry: true, says: () => asked,
  }).then(done);
  const awsOff = () => act(() => api.post(`${path}/disable-auto-rotation`).then((answer) => (done(answer), answer)), `AWS rotates ${name} no longer.`, () => api.post(`${path}/enable-auto-rotation`, { rotation_period_in_days: key.aws_param?.RotationPeriodInDays ?? 365 }).then(done));
  const scheduleOn = async () => {
    const list = (await shared('/scheduler/job-configs', { operation: 'cckm_key_rotation', limit: 100 })).resources;
    return ask({
      title: `Put ${name} under a schedule?`, act: 'Put it under the schedule', tone: 'ink', keep: 'Leave it', values: { id: list[0]?.id ?? '' }, text: list.length === 0 ? html`There is no schedule for rotations. <a href="/scheduler/job-configs?new=1">Make one</a>` : '',
      fields: (values, set) => list.length > 0 && field('rotate-schedule', 'Schedule', '', html`<select id="rotate-schedule" name="job_config_id" class="select" onChange=${(/** @type {any} */ event) => set({ id: event.target.value })}>${list.map((/** @type {any} */ one) => html`<option value=${one.id} selected=${one.id === values.id}>${one.name}, ${one.run_at_words ?? one.run_at}</option>`)}</select>`),
      run: (values, api) => api.post(`${path}/enable-rotation-job`, { job_config_id: values.id }),
      dry: true, says: () => 'It could be put under this schedule. Nothing was changed.',
    }).then(done);
  };
  const scheduleOff = () => act(() => api.post(`${path}/disable-rotation-job`).then((answer) => (done(answer), answer)), `No schedule rotates ${name}.`);
  return /** @type {any} */ ([
    symmetric && origin !== 'hyok' && { label: 'New material, same key…', icon: 'rotate-cw', act: rotateMaterial, missing, end: 'R' },
    ours && { label: origin === 'hyok' ? 'A new version…' : 'A new key in its place…', icon: 'key-round', act: rotate, missing },
    'line',
    symmetric && origin === 'native' && ours && (automatic ? { label: 'Stop AWS’s rotation', icon: 'power', act: awsOff, missing: update } : { label: 'Have AWS rotate it…', icon: 'cloud', act: awsOn, missing: update }),
    ours && (scheduled ? { label: 'Take it off its schedule', icon: 'calendar-clock', act: scheduleOff, missing } : { label: 'Rotate it by a schedule…', icon: 'calendar-clock', act: scheduleOn, missing }),
    keyState(key) === 'Gone' && null,
  ].filter((item) => item));
}
