/** Bulk acts on keys: jobs of at most 100 keys, which can be left; the jobs tray follows them. */
import { html } from '../../view.js';
import { api } from '../../api.js';
import { shared } from '../../data.js';
import { JOBS } from '../../lib/places.js';
import { queryString } from '../../lib/query.js';
import { keyName } from '../../lib/key.js';
import { number, plural } from '../../lib/text.js';
import { lacks } from '../../rights.js';
import { ask } from '../../components/dialog.js';
import { showError } from '../../components/over.js';
import { toast } from '../../components/toast.js';
import { follow } from '../../frame/jobs.js';
import { deletionRight } from './actions.js';

const MOST = 100;

/**
 * The keys of each job: all that match, by the filter of the list, or what was ticked in pieces.
 * @param {import('../../components/list/bulk.js').Chosen} chosen @returns {Array<{filter: string} | {keys: string[]}>}
 */
function jobsOf(chosen) {
  if (chosen.everything) return [{ filter: queryString(chosen.query).slice(1) }];
  return Array.from({ length: Math.ceil(chosen.ids.length / MOST) }, (_, i) => ({ keys: chosen.ids.slice(i * MOST, (i + 1) * MOST) }));
}

/** Starts the jobs. @param {import('../../components/list/bulk.js').Chosen} chosen @param {string} operation @param {any} [more] */
async function start(chosen, operation, more = {}) {
  let begun = 0;
  let failed = /** @type {any} */ (null);
  for (const which of jobsOf(chosen)) {
    try {
      const job = await api.post(JOBS.bulk, { ...which, operation, ...more });
      begun += job.keys_count ?? ('keys' in which ? which.keys.length : 0);
    } catch (error) {
      // Nothing has begun yet: the whole of it can be tried again.
      if (begun === 0) throw error;
      failed = error;
      break;
    }
  }
  follow();
  chosen.clear();
  if (failed) showError({ message: `Begun for ${plural(begun, 'key')} of ${number(chosen.count)}, which the jobs show. The rest was refused: ${failed.message}` });
  else toast(html`Begun for ${plural(begun, 'key')}. It can be left.`);
}

/** What would happen to each key: AWS is not asked. @param {import('../../components/list/bulk.js').Chosen} chosen @param {string} operation @param {any} [more] */
async function tryAll(chosen, operation, more = {}) {
  /** @type {Record<string, string>} */
  const all = {};
  for (const which of jobsOf(chosen)) Object.assign(all, (await api.post(JOBS.bulk, { ...which, operation, ...more }, { query: { dry_run: true } })).detailed_status);
  return all;
}

/** The keys that are refused, by the reason; Claviger's own checks are meant. @param {Record<string, string>} all @param {any[]} rows those whose names are known */
function tried(all, rows) {
  const names = new Map(rows.map((row) => [row.id, keyName(row)]));
  /** @type {Map<string, string[]>} */
  const refused = new Map();
  for (const [id, said] of Object.entries(all)) if (!/^success/i.test(said)) refused.set(said, [...(refused.get(said) ?? []), names.get(id) ?? id.slice(0, 8)]);
  const count = [...refused.values()].flat().length;
  const total = Object.keys(all).length;
  return html`<b>${count === 0 ? `Claviger’s own checks allow it for ${total === 1 ? 'the key' : `all ${number(total)} keys`}.` : `Claviger’s own checks allow it for ${number(total - count)} of ${plural(total, 'key')}.`}</b> Nothing was changed.
    ${count > 0 && html`<ul class="small">${[...refused].slice(0, 6).map(([why, keys]) => html`<li class="break"><bdi>${keys.slice(0, 5).join(', ')}</bdi>${keys.length > 5 && ` and ${number(keys.length - 5)} more`}: ${why}</li>`)}</ul>`}`;
}

/**
 * The right that is missing on each of the keys: a job fails those alone on which it is missing. Of all that match only the rows that are shown are known.
 * @param {import('../../components/list/bulk.js').Chosen} chosen @param {(key: any) => string} right of the act on one key
 */
function lacking({ rows, everything }, right) {
  if (everything || rows.length === 0) return undefined;
  const without = rows.map((key) => lacks(key, 'keybulkoperation') ?? lacks(key, right(key)));
  return without.every(Boolean) ? without[0] : undefined;
}

/** @param {{chosen: import('../../components/list/bulk.js').Chosen, right: (key: any) => string, act: () => void, class?: string, children?: any}} props */
function Act({ chosen, right, act, class: extra, children }) {
  const missing = lacking(chosen, right);
  return html`<button type="button" class=${extra} aria-disabled=${missing ? 'true' : undefined} data-tip=${missing && `You lack ${missing}. Ask for it.`} onClick=${() => !missing && act()}>${children}</button>`;
}

/** Asks which schedule is to rotate the keys. @param {import('../../components/list/bulk.js').Chosen} chosen */
export async function underSchedule(chosen) {
  const list = (await shared('/scheduler/job-configs', { operation: 'cckm_key_rotation', limit: 100 })).resources;
  if (list.length === 0) return showError({ message: 'There is no schedule that rotates keys yet. Create one first, under Schedules.' });
  ask({
    title: `Put ${plural(chosen.count, 'key')} under a schedule?`, act: 'Put them under the schedule', tone: 'ink', keep: 'Leave them', values: { id: list[0].id },
    fields: (values, set) => html`<div class="field grow"><label for="bulk-schedule">Schedule</label><select id="bulk-schedule" name="job_config_id" class="select" onChange=${(/** @type {any} */ event) => set({ id: event.target.value })}>${list.map((/** @type {any} */ one) => html`<option value=${one.id} selected=${one.id === values.id}>${one.name}</option>`)}</select></div>`,
    run: (values) => start(chosen, 'enablerotationjob', { job_config_id: values.id }),
    dry: (values) => tryAll(chosen, 'enablerotationjob', { job_config_id: values.id }), says: (all) => tried(all, chosen.rows),
  });
}

/** @param {import('../../components/list/bulk.js').Chosen} chosen */
export function keyBulk(chosen) {
  const simple = (/** @type {string} */ operation) => start(chosen, operation).catch(showError);
  const count = plural(chosen.count, 'key');
  const says = (/** @type {any} */ all) => tried(all, chosen.rows);
  const template = async () => {
    const templates = (await shared('/cckm/aws/templates', { limit: 200, sort: 'name' })).resources;
    ask({
      title: `Apply a policy template to ${count}?`, text: 'It replaces the policies that the keys have in AWS.', act: 'Apply the template', keep: 'Keep the policies',
      values: { id: templates[0]?.id ?? '' },
      fields: (values, set) => html`<div class="field grow"><label for="bulk-template">Policy template</label><select id="bulk-template" name="policy_template_id" class="select" onChange=${(/** @type {any} */ event) => set({ id: event.target.value })}>${templates.map((/** @type {any} */ one) => html`<option value=${one.id} selected=${one.id === values.id}>${one.name}</option>`)}</select></div>`,
      run: (values) => start(chosen, 'applypolicytemplate', { policy_template_id: values.id }),
      dry: (values) => tryAll(chosen, 'applypolicytemplate', { policy_template_id: values.id }), says,
    });
  };
  const deletion = () => ask({
    title: `Schedule the deletion of ${count}?`, level: 3, name: count.replaceAll('\u2009', ''),
    text: 'After the wait AWS destroys the keys. What they encrypted can never be read again. Until then you can cancel.', act: 'Schedule deletion', keep: 'Keep the keys', values: { days: 30 },
    fields: (values, set) => html`<div class="field"><label for="bulk-days">Wait <span class="optional">7 to 30 days</span></label><input id="bulk-days" name="days" class="input" type="number" min="7" max="30" value=${values.days} onInput=${(/** @type {any} */ event) => set({ days: Number(event.target.value) })} /></div>`,
    run: (values) => start(chosen, 'schedulekeydeletion', { days: values.days }),
    dry: (values) => tryAll(chosen, 'schedulekeydeletion', { days: values.days }), says,
  });
  const update = () => 'keyupdate';
  return html`<${Act} chosen=${chosen} right=${update} act=${() => simple('enablekey')}>Enable<//><${Act} chosen=${chosen} right=${update} act=${() => simple('disablekey')}>Disable<//>
    <${Act} chosen=${chosen} right=${update} act=${template}>Apply template…<//><${Act} class="hide-small" chosen=${chosen} right=${() => 'keyrotate'} act=${() => underSchedule(chosen)}>Rotate by schedule…<//>
    <${Act} class="danger" chosen=${chosen} right=${deletionRight} act=${deletion}>Schedule deletion…<//>${chosen.rows.some((row) => row.aws_param?.KeyState === 'PendingDeletion') && html`<${Act} class="hide-small" chosen=${chosen} right=${() => 'keycanceldelete'} act=${() => simple('cancelkeydeletion')}>Cancel deletion<//>`}`;
}
