/** Is the store serving, and who was refused: read again every few seconds while it is shown. */
import { html, useRef } from '../../view.js';
import { api } from '../../api.js';
import { useGet } from '../../data.js';
import { number, plural } from '../../lib/text.js';
import { lacks } from '../../rights.js';
import { Sparkline } from '../../components/charts.js';
import { Chip, ErrorNote, Note, Shape, Time } from '../../components/bits.js';
import { ask } from '../../components/dialog.js';
import { act } from '../../components/over.js';
import { Icon } from '../../components/icon.js';
import { Button } from '../../components/popup.js';
import { StoreRules } from './caller-rules.js';
import { Credentials } from './credentials.js';
import { Refused } from './refused.js';

/** @param {{store: any, path: string, count: number, keys: any[], done: (answer: any) => void}} props count: of its keys, which `keys` has as far as they were read */
export function Live({ store, path, count, keys, done }) {
  const local = store.type === 'LOCAL';
  const health = useGet(local ? `${path}/health` : null, {}, { every: 5000 });
  const counters = useGet(local ? `${path}/counters` : null, {}, { every: 5000 });
  const line = useRef(/** @type {{at: number, calls: number, p99: number, refused: number}[]} */ ([]));
  if (!local) return html`<div class="body"><${Note}>${store.type === 'CloudHSM' ? 'AWS keeps the keys of this store in a CloudHSM cluster.' : 'Another proxy serves this store.'} Claviger reads it from AWS; it can be connected, disconnected and renamed.<//></div>`;
  if (counters.data && counters.at !== line.current.at(-1)?.at) {
    line.current = [...line.current.slice(-59), { at: counters.at, calls: counters.data.last_minute?.calls ?? 0, p99: (counters.data.last_minute?.p99_microseconds ?? 0) / 1000, refused: sum(counters.data.refusals) }];
  }
  return html`<div class="body"><div class="columns wide"><${Switch} store=${store} path=${path} keys=${count} done=${(/** @type {any} */ answer) => { done(answer); health.reload(); }} /><${Health} read=${health} /></div>
    <${Figures} counters=${counters.data} line=${line.current} />
    <div class="columns wide"><${Refused} store=${store} path=${path} keys=${keys} since=${counters.data && sum(counters.data.refusals)} /><div class="column"><${Credentials} store=${store} path=${path} done=${done} short /><${StoreRules} store=${store} path=${path} done=${done} short /></div></div></div>`;
}

/** @param {Record<string, number> | undefined} of */
const sum = (of) => Object.values(of ?? {}).reduce((total, value) => total + value, 0);

/** @param {{store: any, path: string, keys: number, done: (answer: any) => void}} props */
function Switch({ store, path, keys, done }) {
  const blocked = store.local_hosted_params?.blocked;
  const block = () => ask({ title: `Block ${plural(keys, 'key')} of ${store.name}?`, act: `Block ${plural(keys, 'key')}`, keep: 'Keep serving', text: 'AWS is refused from the next request on. Applications that use them fail.', run: (_, api) => api.post(`${path}/block`), dry: true }).then((answer) => answer && done(answer));
  const unblock = () => act(() => api.post(`${path}/unblock`).then((answer) => (done(answer), answer)), `${store.name} serves AWS again.`);
  return html`<section class=${`store-switch ${blocked ? 'blocked' : ''}`}><span class="knob" aria-hidden="true"><${Icon} name=${blocked ? 'lock' : 'lock-open'} size="large" /></span><div class="grow"><h2>${blocked ? 'Blocked' : 'Serving AWS'}</h2><p class="t2">${blocked ? `AWS is refused for its ${plural(keys, 'key')}, also after a restart, until it is unblocked.` : `Blocking refuses AWS at once for its ${plural(keys, 'key')}. It needs no word from AWS, and survives a restart.`}</p></div>
    ${blocked ? html`<${Button} icon="lock-open" missing=${lacks(store, 'keystoreunblock')} onClick=${unblock}>Serve again<//>` : html`<${Button} class="block" icon="ban" missing=${lacks(store, 'keystoreblock')} onClick=${block}>Block ${plural(keys, 'key')}…<//>`}</section>`;
}

/** @param {{read: import('../../data.js').Read}} props */
function Health({ read }) {
  const data = read.data;
  const line = (/** @type {string} */ label, /** @type {boolean} */ good, /** @type {any} */ word) => html`<li class="row"><${Shape} shape=${good ? 'disc' : 'square'} tone=${good ? 'ok' : 'danger'} /><span>${label}</span><b class="end cut">${word}</b></li>`;
  return html`<section class="card health"><div class="row">${data ? html`<${Chip} tone=${data.status === 'ACTIVE' ? 'ok' : 'danger'}>${data.status}<//><span class="small t2">checked <${Time} at=${data.checked_at} /></span>` : html`<span class="t3">not known yet</span>`}<button type="button" class="link end" onClick=${read.reload}>Check now</button></div><${ErrorNote} error=${read.error} />
    ${data && html`<ul>${line('Listener', data.listener, data.listener ? 'up' : 'down')}${line('Health check key', data.health_check_key === 'ok', data.health_check_key)}${line('AWS says', data.connection_state === 'CONNECTED', data.connection_state ?? 'nothing')}${line('AWS called', Boolean(data.last_aws_call_at), html`<${Time} at=${data.last_aws_call_at} none="never" />`)}</ul>`}</section>`;
}

/** @param {{counters: any, line: {calls: number, p99: number, refused: number}[]}} props */
function Figures({ counters, line }) {
  const { calls = {}, last_minute: minute, last_hour: hour } = counters ?? {};
  const refused = sum(counters?.refusals);
  // Refused calls are among all.
  const all = Math.max(sum(calls), refused);
  const took = (/** @type {number | undefined} */ microseconds) => (microseconds === undefined ? 'no calls' : `${(microseconds / 1000).toFixed(1)} ms`);
  const figure = (/** @type {string} */ title, /** @type {any} */ value, /** @type {any} */ below, /** @type {number[]} */ values, tone = 't2') => html`<section><h3>${title}</h3><div class="row"><b class="figure">${value}</b><span class="end"><${Sparkline} values=${values} width=${112} height=${28} tone=${tone} filled label=${title} /></span></div><p class="small t2">${below}</p></section>`;
  return html`<div class="cards">${figure('Calls in a minute', number(minute?.calls ?? 0), `encrypt ${number(calls.encrypt ?? 0)}, decrypt ${number(calls.decrypt ?? 0)} since the start`, line.map((one) => one.calls), 'byok-line')}
    ${figure('Answered in, p99', took(minute?.p99_microseconds), 'of the last minute; AWS waits 250 ms', line.map((one) => one.p99), 'byok-line')}
    ${figure('Refused since the start', number(refused), all > 0 ? `${((refused / all) * 100).toFixed(3)} % of ${plural(all, 'call')}` : 'of no calls yet', line.slice(1).map((one, i) => Math.max(0, one.refused - line[i].refused)), refused > 0 ? 'warn' : 't2')}
    ${figure('Calls in an hour', number(hour?.calls ?? 0), `p50 ${took(hour?.p50_microseconds)}`, [], 't2')}</div>`;
}
