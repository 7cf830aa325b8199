/** Webhooks: where alarms are delivered; made, tried, their secret replaced. */
import { html } from '../../view.js';
import { api, versionIn } from '../../api.js';
import { changed } from '../../data.js';
import { segment } from '../../lib/query.js';
import { number, plural } from '../../lib/text.js';
import { Chip, Empty, IdLine, Name, State, Time } from '../../components/bits.js';
import { ask } from '../../components/dialog.js';
import { act, showError } from '../../components/over.js';
import { showSecret } from '../../components/secret.js';
import { toast } from '../../components/toast.js';
import { Icon } from '../../components/icon.js';
import { List } from '../../components/list/list.js';
import { Menu } from '../../components/popup.js';
import { ALARM_NAMES, alarmWords } from './alarms.js';

const PATH = '/alarms/webhooks';

/** @param {any} answer */
function showSigningSecret(answer) {
  if (!answer?.secret) return null;
  return showSecret({ text: 'The receiver checks deliveries with it.', children: html`<${IdLine} text=${answer.secret} what="the secret" />` });
}

/** Makes or changes a webhook. @param {any} present */
async function edit(present) {
  const answer = await ask({
    title: present ? `Change ${present.name}` : 'Add a webhook', act: present ? 'Save the webhook' : 'Add the webhook', tone: 'ink', keep: 'Leave it', values: { name: present?.name ?? '', url: present?.url ?? '', conditions: present?.conditions ?? [] },
    text: 'Alarms are sent to it as JSON, signed. The address must hold no secret: it is shown and recorded.',
    fields: (values, set) => html`<div class="column grow"><div class="field"><label for="hook-name">Name</label><input id="hook-name" name="name" class="input" value=${values.name} onInput=${(/** @type {any} */ event) => set({ ...values, name: event.target.value })} /></div>
      <div class="field"><label for="hook-url">Address</label><input id="hook-url" name="url" class="input mono" placeholder="https://" value=${values.url} onInput=${(/** @type {any} */ event) => set({ ...values, url: event.target.value })} /></div>
      <div class="field"><span class="legend">Only these <span class="optional">none chosen: all</span></span><div class="row wrap">${ALARM_NAMES.map((name) => html`<label class="check" key=${name}><input type="checkbox" class="box" checked=${values.conditions.includes(name)} onChange=${() => set({ ...values, conditions: values.conditions.includes(name) ? values.conditions.filter((/** @type {string} */ one) => one !== name) : [...values.conditions, name] })} />${alarmWords(name)}</label>`)}</div></div></div>`,
    run: (values, api) => (present ? api.patch(`${PATH}/${segment(present.id)}`, values, { version: versionIn(present) }) : api.post(PATH, values)),
  });
  if (!answer) return;
  changed(PATH);
  await showSigningSecret(answer);
}

/** @param {any} row */
async function test(row) {
  try {
    const said = await api.post(`${PATH}/${segment(row.id)}/test`);
    if (said.delivered) toast(`${row.name} answered ${said.status} in ${said.duration_ms} ms.`);
    else showError({ message: `${row.name} did not take it: ${said.error ?? said.status}` });
  } catch (error) {
    showError(error);
  }
}

/** Which alarms it gets, if not all: of which KMSs, and which kinds. @param {any} row @returns {string[]} */
const onlyOf = (row) => [...(row.kms?.length ? [plural(row.kms.length, 'KMS', 'KMSs')] : []), ...(row.conditions ?? [])];

export function Webhooks() {
  const rotate = (/** @type {any} */ row) => ask({ title: `Replace the secret of ${row.name}?`, act: 'Replace the secret', keep: 'Leave it', text: 'For 24 hours deliveries are signed with both.', run: (_, api) => api.post(`${PATH}/${segment(row.id)}/rotate-secret`) }).then(showSigningSecret);
  const drop = (/** @type {any} */ row) => ask({ title: `Delete the webhook ${row.name}?`, act: 'Delete the webhook', keep: 'Keep it', text: `${number(row.pending ?? 0)} alarms that wait for it are not delivered.`, run: (_, api) => api.delete(`${PATH}/${segment(row.id)}`), dry: true }).then((answer) => answer && changed(PATH));
  const toggle = (/** @type {any} */ row) => act(() => api.patch(`${PATH}/${segment(row.id)}`, { enabled: !row.enabled }, { version: versionIn(row) }).then((answer) => (changed(PATH), answer)), `${row.name} is ${row.enabled ? 'off' : 'on'}.`);
  const columns = /** @type {import('../../components/list/table.js').Column[]} */ ([
    { id: 'name', title: 'Name', sort: 'name', cell: (row) => html`<${Name} text=${row.name} />` },
    { id: 'url', title: 'Address', cell: (row) => html`<span class="mono t2 cut" data-tip-cut=${row.url}>${row.url}</span>` },
    { id: 'state', title: 'State', width: 190, cell: (row) => (!row.enabled ? html`<${State} state="Disabled" word="Off" />` : row.failed_since ? html`<${State} state="failed" word=${html`fails since <${Time} at=${row.failed_since} />`} />` : html`<${State} state="ok" word="On" />`) },
    { id: 'pending', title: 'Pending', width: 90, end: true, cell: (row) => number(row.pending ?? 0) },
    { id: 'lost', title: 'Lost', width: 70, end: true, leaves: 2, cell: (row) => number(row.lost ?? 0) },
    { id: 'only', title: 'Only', width: 200, leaves: 2, cell: (row) => (onlyOf(row).length > 0 ? html`<span class="cut">${onlyOf(row).slice(0, 2).map((one) => html`<${Chip}>${one}<//> `)}${onlyOf(row).length > 2 && `+${onlyOf(row).length - 2}`}</span>` : html`<span class="t3">all</span>`) },
    { id: 'acts', title: '', width: 60, cell: (row) => html`<${Menu} class="tiny" name=${`Acts on ${row.name}`} label=${html`<${Icon} name="ellipsis" />`} items=${[{ label: 'Send a test', icon: 'send', act: () => test(row) }, { label: 'Edit…', icon: 'pencil', act: () => edit(row) }, { label: row.enabled ? 'Switch off' : 'Switch on', icon: 'power', act: () => toggle(row) }, { label: 'Replace the secret…', icon: 'rotate-cw', act: () => rotate(row) }, 'line', { label: 'Delete…', icon: 'trash-2', danger: true, act: () => drop(row) }]} />` },
  ]);
  return html`<div class="toolbar"><span class="t2">Alarms go to these addresses.</span><div class="after"><button type="button" class="button small" onClick=${() => edit(null)}><${Icon} name="plus" size="small" />Add a webhook</button></div></div>
    <${List} path=${PATH} noun=${['webhook', 'webhooks']} columns=${columns} sort="name" empty=${html`<${Empty} icon="webhook" title="No webhook yet">Alarms are shown here, and sent to nobody.<//>`} />`;
}
