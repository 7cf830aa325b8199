/** Keys by state, origin, spec and age; each number leads to its list. */
import { html } from '../../view.js';
import { queryString } from '../../lib/query.js';
import { number, plural } from '../../lib/text.js';
import { DAY, parse } from '../../lib/time.js';
import { Stack } from '../../components/charts.js';
import { Shape } from '../../components/bits.js';

/** @typedef {{label: string, value: number, color: string, shape?: any, tone?: string, href: string}} Part */

/** @param {Record<string, any>} members */
const keys = (members) => `/cckm/aws/keys${queryString(members)}`;

/** @param {{posture: any}} props */
export function Counts({ posture }) {
  const state = posture.by_state ?? {};
  const sum = (/** @type {Record<string, number>} */ of, /** @type {(name: string) => boolean} */ which) => Object.entries(of).reduce((total, [name, value]) => total + (which(name) ? value : 0), 0);
  const others = Object.keys(state).filter((name) => !['Enabled', 'Disabled', 'PendingDeletion'].includes(name));
  const origin = posture.by_origin ?? {};
  const spec = posture.by_spec ?? {};
  const specs = (/** @type {string} */ start) => Object.keys(spec).filter((name) => name.startsWith(start));
  return html`<div class="cards">
    <${Parts} title="State" parts=${[
      { label: 'Enabled', value: state.Enabled ?? 0, color: 'ok-bar', shape: 'disc', tone: 'ok', href: keys({ keystate: 'Enabled' }) },
      { label: 'Disabled', value: state.Disabled ?? 0, color: 'control', shape: 'ring', tone: 't2', href: keys({ keystate: 'Disabled' }) },
      { label: 'Pending deletion', value: state.PendingDeletion ?? 0, color: 'danger', shape: 'quarter', tone: 'danger', href: keys({ keystate: 'PendingDeletion' }) },
      { label: 'Unavailable, pending import', value: sum(state, (name) => others.includes(name)), color: 'age-4', shape: 'struck', tone: 'warn', href: keys({ keystate: others.length > 0 ? others : ['Unavailable', 'PendingImport'] }) },
    ]} />
    <${Parts} title="Where the material comes from" parts=${[
      { label: 'AWS made it (native)', value: origin.AWS_KMS ?? 0, color: 'native', href: keys({ origin: 'AWS_KMS' }) },
      { label: 'Brought from here (BYOK)', value: origin.EXTERNAL ?? 0, color: 'byok', href: keys({ origin: 'EXTERNAL' }) },
      { label: 'Held here (HYOK)', value: origin.EXTERNAL_KEY_STORE ?? 0, color: 'hyok', href: keys({ origin: 'EXTERNAL_KEY_STORE' }) },
      { label: 'CloudHSM', value: origin.AWS_CLOUDHSM ?? 0, color: 'hsm', href: keys({ origin: 'AWS_CLOUDHSM' }) },
    ]} />
    <${Parts} title="Spec" parts=${[
      ['Symmetric', ['SYMMETRIC_DEFAULT']], ['RSA', specs('RSA_')], ['Elliptic curves', [...specs('ECC_'), ...specs('SM2')]], ['HMAC, ML-DSA', [...specs('HMAC_'), ...specs('ML_')]],
    ].map(([label, names]) => ({ label, value: sum(spec, (name) => names.includes(name)), color: 'age-3', href: keys({ key_spec: names }) }))} />
    <${Ages} ages=${posture.by_age ?? []} at=${parse(posture.at) ?? Date.now()} /></div>`;
}

/** @param {{title: string, parts: Part[]}} props */
function Parts({ title, parts }) {
  return html`<section><h3>${title}</h3><div class="parts"><${Stack} parts=${parts} />${parts.map((part) => html`<a class="legend-row" href=${part.href} key=${part.label}>
    ${part.shape ? html`<${Shape} shape=${part.shape} tone=${part.tone} />` : html`<span class="swatch" style=${{ background: `var(--${part.color})` }} />`}<span class="cut">${part.label}</span><b>${number(part.value)}</b></a>`)}</div></section>`;
}

/** "< 90 d". @param {any} age */
function span(age) {
  if (age.below_days === undefined || age.below_days === null) return 'older';
  return age.below_days < 365 ? `< ${age.below_days} d` : `< ${Math.round(age.below_days / 365)} y`;
}

/** @param {{ages: any[], at: number}} props */
function Ages({ ages, at }) {
  const most = Math.max(1, ...ages.map((age) => age.keys));
  const old = ages.filter((age) => age.from_days >= 365).reduce((total, age) => total + age.keys, 0);
  const when = (/** @type {number} */ days) => new Date(at - days * DAY).toISOString().replace(/\.\d+Z$/, 'Z');
  return html`<section><h3>Age of the material</h3><div class="ages">${ages.map((age, i) => html`<a key=${age.from_days} href=${keys({ material_since_before: age.from_days ? when(age.from_days) : undefined, material_since_after: age.below_days ? when(age.below_days) : undefined })}>
      <b>${number(age.keys)}</b><span class="bar" style=${{ height: `${Math.max(2, (age.keys / most) * 36)}px`, background: `var(--age-${Math.min(5, i + 1)})` }} /><span class="t2">${span(age)}</span></a>`)}</div>
    <p class="small t2">${plural(old, 'key')} ${old === 1 ? 'holds' : 'hold'} material older than a year.</p></section>`;
}
