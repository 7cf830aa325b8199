/** Bulk acts on keys: jobs of at most 100 keys, which can be left; the jobs tray follows them. */
import { html } from '../../view.js';
import { api } from '../../api.js';
import { shared } from '../../data.js';
import { plural } from '../../lib/text.js';
import { ask, showError } from '../../components/dialog.js';
import { toast } from '../../components/toast.js';
import { follow } from '../../frame/jobs.js';

const MOST = 100;

/** The ids of what was chosen: of all that match, if that was said. @param {import('../../components/list/bulk.js').Chosen} chosen @returns {Promise<string[]>} */
async function idsOf(chosen) {
  if (!chosen.everything) return chosen.ids;
  /** @type {string[]} */
  const ids = [];
  for (let total = 1; ids.length < total;) {
    const page = await api.get('/cckm/aws/keys', { ...chosen.query, skip: ids.length, limit: 500, fields: 'id' });
    total = page.total;
    if (page.resources.length === 0) break;
    ids.push(...page.resources.map((/** @type {any} */ key) => key.id));
  }
  return ids;
}

/** Starts the jobs. @param {import('../../components/list/bulk.js').Chosen} chosen @param {string} operation @param {any} [more] */
async function start(chosen, operation, more = {}) {
  const ids = await idsOf(chosen);
  for (let i = 0; i < ids.length; i += MOST) await api.post('/cckm/aws/bulkjob', { keys: ids.slice(i, i + MOST), operation, ...more });
  follow();
  chosen.clear();
  toast(html`Begun for ${plural(ids.length, 'key')}. It can be left.`);
}

/** @param {import('../../components/list/bulk.js').Chosen} chosen */
export function keyBulk(chosen) {
  const simple = (/** @type {string} */ operation) => start(chosen, operation).catch(showError);
  const count = plural(chosen.count, 'key');
  const template = async () => {
    const templates = (await shared('/cckm/aws/templates', { limit: 200, sort: 'name' })).resources;
    ask({
      title: `Apply a policy template to ${count}?`, text: 'It replaces the policies that the keys have in AWS.', act: 'Apply the template', keep: 'Keep the policies',
      values: { id: templates[0]?.id ?? '' },
      fields: (values, set) => html`<div class="field grow"><label for="bulk-template">Policy template</label><select id="bulk-template" class="select" onChange=${(/** @type {any} */ event) => set({ id: event.target.value })}>${templates.map((/** @type {any} */ one) => html`<option value=${one.id} selected=${one.id === values.id}>${one.name}</option>`)}</select></div>`,
      run: (values) => start(chosen, 'applypolicytemplate', { policy_template_id: values.id }),
    });
  };
  const deletion = () => ask({
    title: `Schedule the deletion of ${count}?`, level: 3, name: count,
    text: 'After the wait AWS destroys the keys. What they encrypted can never be read again. Until then you can cancel.', act: 'Schedule deletion', keep: 'Keep the keys', values: { days: 30 },
    fields: (values, set) => html`<div class="field"><label for="bulk-days">Wait <span class="optional">7 to 30 days</span></label><input id="bulk-days" class="input" type="number" min="7" max="30" value=${values.days} onInput=${(/** @type {any} */ event) => set({ days: Number(event.target.value) })} /></div>`,
    run: (values) => start(chosen, 'schedulekeydeletion', { days: values.days }),
  });
  const schedule = async () => {
    const list = (await shared('/scheduler/job-configs', { operation: 'cckm_key_rotation', limit: 100 })).resources;
    ask({
      title: `Put ${count} under a schedule?`, act: 'Put them under the schedule', keep: 'Leave them', values: { id: list[0]?.id ?? '' },
      fields: (values, set) => html`<div class="field grow"><label for="bulk-schedule">Schedule</label><select id="bulk-schedule" class="select" onChange=${(/** @type {any} */ event) => set({ id: event.target.value })}>${list.map((/** @type {any} */ one) => html`<option value=${one.id} selected=${one.id === values.id}>${one.name}</option>`)}</select></div>`,
      run: (values) => start(chosen, 'enablerotationjob', { job_config_id: values.id }),
    });
  };
  return html`<button type="button" onClick=${() => simple('enablekey')}>Enable</button><button type="button" onClick=${() => simple('disablekey')}>Disable</button>
    <button type="button" onClick=${template}>Apply template…</button><button type="button" class="hide-small" onClick=${schedule}>Rotate by schedule…</button><button type="button" class="danger" onClick=${deletion}>Schedule deletion…</button>${chosen.rows.some((row) => row.aws_param?.KeyState === 'PendingDeletion') && html`<button type="button" class="hide-small" onClick=${() => simple('cancelkeydeletion')}>Cancel deletion</button>`}`;
}

