/** Syslog receivers of audit records: how far each is behind, and what failed last. */
import { html } from '../../view.js';
import { versionIn } from '../../api.js';
import { changed } from '../../data.js';
import { usePage } from '../../page.js';
import { segment } from '../../lib/query.js';
import { number } from '../../lib/text.js';
import { Chip, Empty, Name, State, Time } from '../../components/bits.js';
import { ask } from '../../components/dialog.js';
import { Head } from '../../components/head.js';
import { Icon } from '../../components/icon.js';
import { List } from '../../components/list/list.js';
import { Menu } from '../../components/popup.js';
import { OperationTabs } from './tabs.js';

const PATH = '/configs/syslogs';

/** @param {any} present */
function edit(present) {
  ask({
    title: present ? `Change ${present.host}` : 'Add a syslog receiver', act: present ? 'Save the receiver' : 'Add the receiver', tone: 'ink', keep: 'Leave it',
    values: { host: present?.host ?? '', transport: present?.transport ?? 'tls', port: present?.port ?? '', messageFormat: present?.messageFormat ?? 'rfc5424', caCert: present?.caCert ?? '' },
    text: 'It gets each audit record from its creation on, at least once, in the order of the log.',
    fields: (values, set) => {
      const field = (/** @type {string} */ name, /** @type {string} */ label, /** @type {any} */ control) => html`<div class="field"><label for=${`syslog-${name}`}>${label}</label>${control}</div>`;
      const choose = (/** @type {string} */ name, /** @type {string[]} */ options) => html`<select id=${`syslog-${name}`} name=${name} class="select" onChange=${(/** @type {any} */ event) => set({ ...values, [name]: event.target.value })}>${options.map((one) => html`<option value=${one} selected=${one === values[name]}>${one}</option>`)}</select>`;
      const type = (/** @type {string} */ name) => html`<input id=${`syslog-${name}`} name=${name} class="input" value=${values[name]} onInput=${(/** @type {any} */ event) => set({ ...values, [name]: event.target.value })} />`;
      return html`<div class="form grow">${field('host', 'Host', type('host'))}${field('transport', 'Transport', choose('transport', ['tls', 'tcp', 'udp']))}${field('port', 'Port, if another than usual', type('port'))}${field('messageFormat', 'Format', choose('messageFormat', ['rfc5424', 'plain_message', 'cef', 'leef']))}
        ${values.transport === 'tls' && html`<div class="field full"><label for="syslog-ca">Certificate authorities <span class="optional">PEM; no others are trusted</span></label><textarea id="syslog-ca" name="caCert" class="input mono" rows="4" value=${values.caCert} onInput=${(/** @type {any} */ event) => set({ ...values, caCert: event.target.value })}></textarea></div>`}</div>`;
    },
    run: ({ port, caCert, ...values }, api) => {
      const body = { ...values, ...(String(port).trim() !== '' && { port: Number(port) }), ...(values.transport === 'tls' && caCert && { caCert }) };
      return present ? api.patch(`${PATH}/${segment(present.id)}`, body, { version: versionIn(present) }) : api.post(PATH, body);
    },
  }).then((answer) => answer && changed(PATH));
}

/** @param {any} row */
const drop = (row) => ask({ title: `Remove the receiver ${row.host}?`, act: 'Remove the receiver', keep: 'Keep it', text: `What it has not received is not sent any more: ${number(row.lag ?? 0)} records.`, run: (_, api) => api.delete(`${PATH}/${segment(row.id)}`), dry: true }).then((answer) => answer && changed(PATH));

/** @type {import('../../components/list/table.js').Column[]} */
const COLUMNS = [
  { id: 'host', title: 'Host', cell: (row) => html`<${Name} text=${row.host} />` },
  { id: 'transport', title: 'Transport', width: 150, cell: (row) => html`<span class="row"><${Chip} tone=${row.transport === 'tls' ? 'ok' : 'warn'}>${row.transport}<//><span class="mono t2">${row.port}</span></span>` },
  { id: 'format', title: 'Format', width: 130, leaves: 2, cell: (row) => row.messageFormat },
  { id: 'state', title: 'State', cell: (row) => (row.error ? html`<span class="cut" data-tip-cut=${row.error}><${State} state="failed" word=${row.error} /></span>` : html`<${State} state="ok" word=${row.last_sent_at ? html`sent <${Time} at=${row.last_sent_at} />` : 'nothing to send yet'} />`) },
  { id: 'lag', title: 'Behind by', width: 110, end: true, cell: (row) => number(row.lag ?? 0) },
  { id: 'acts', title: '', width: 60, cell: (row) => html`<${Menu} class="tiny" name=${`Acts on ${row.host}`} label=${html`<${Icon} name="ellipsis" />`} items=${[{ label: 'Edit…', icon: 'pencil', act: () => edit(row) }, { label: 'Remove…', icon: 'trash-2', danger: true, act: () => drop(row) }]} />` },
];

export function Syslogs() {
  usePage({ title: 'Syslog receivers', crumbs: [{ label: 'Operation' }, { label: 'Syslog receivers' }] });
  return html`<div class="page full"><${Head} title="Syslog receivers" sub="Where audit records go besides this log." actions=${html`<button type="button" class="button ink" data-key="c" onClick=${() => edit(null)}><${Icon} name="plus" size="small" />Add a receiver<kbd>C</kbd></button>`} />
    <${OperationTabs} at="syslogs" /><${List} path=${PATH} noun=${['receiver', 'receivers']} columns=${COLUMNS} every=${10_000} empty=${html`<${Empty} icon="send" title="No receiver yet">Records stay here, in the log.<//>`} /></div>`;
}
