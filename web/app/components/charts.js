/** Pictures of numbers: the age bar, the bitting, sparklines, stacked bars, progress. */
import { html } from '../view.js';
import { span, DAY } from '../lib/time.js';

/** Age of the material against its period; a tick at the next rotation. @param {{age: {days: number, period: number} | null, next?: number | null}} props next: days from now */
export function AgeBar({ age, next = null }) {
  if (!age) return html`<span class="t3">not known</span>`;
  const part = age.days / age.period;
  const tone = part >= 1 ? 'over' : part > 0.8 ? 'late' : '';
  const at = next === null ? null : Math.min(1, (age.days + next) / age.period);
  return html`<span class=${`age ${tone}`}><span class="track" aria-hidden="true"><span class="fill" style=${{ width: `${Math.min(100, part * 100)}%` }} />${
    at !== null && html`<span class="next" style=${{ insetInlineStart: `calc(${at * 100}% - 2px)` }} />`
  }</span><span>${span(age.days * DAY)}</span></span>`;
}

/** A hash drawn as the cut of a key: n hex digits are n teeth, deep for f. Decoration beside the written hash. @param {{hash: string, teeth?: number, width?: number, height?: number}} props */
export function Bitting({ hash, teeth = 16, width = 54, height = 16 }) {
  const digits = [...hash.replace(/[^0-9a-fA-F]/g, '')].slice(0, teeth).map((digit) => parseInt(digit, 16));
  if (digits.length === 0) return null;
  const step = width / digits.length;
  const deep = (/** @type {number} */ digit) => 1 + (digit / 15) * (height * 0.62);
  let path = `M0 ${height}V${deep(digits[0]).toFixed(1)}`;
  digits.forEach((digit, i) => {
    const y = deep(digit).toFixed(1);
    path += `L${(i * step + step * 0.28).toFixed(1)} ${y}H${((i + 1) * step - step * 0.08).toFixed(1)}`;
  });
  return html`<svg class="bitting" width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`} aria-hidden="true"><path d=${`${path}H${width}V${height}Z`} fill="currentColor" /></svg>`;
}

/** A line of numbers without axes. @param {{values: number[], width?: number, height?: number, tone?: string, filled?: boolean, label: string}} props */
export function Sparkline({ values, width = 80, height = 20, tone = 't2', filled, label }) {
  if (values.length < 2) return html`<svg width=${width} height=${height} aria-hidden="true" />`;
  const most = Math.max(...values);
  const least = Math.min(...values, most === 0 ? 0 : most);
  const y = (/** @type {number} */ value) => (most === least ? height / 2 : height - 2 - ((value - least) / (most - least)) * (height - 4));
  const points = values.map((value, i) => `${((i / (values.length - 1)) * width).toFixed(1)} ${y(value).toFixed(1)}`);
  return html`<svg class=${tone} width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`} role="img" aria-label=${label}>
    ${filled && html`<path d=${`M0 ${height}L${points.join('L')}L${width} ${height}Z`} fill="currentColor" opacity=".14" />`}
    <path d=${`M${points.join('L')}`} fill="none" stroke="currentColor" stroke-width="1.4" stroke-linejoin="round" />
  </svg>`;
}

/** Parts of a whole as one bar. @param {{parts: Array<{value: number, color: string, label: string}>, tall?: boolean}} props */
export function Stack({ parts, tall }) {
  const shown = parts.filter((part) => part.value > 0);
  return html`<div class=${`stack ${tall ? 'tall' : ''}`} role="img" aria-label=${shown.map((part) => `${part.label} ${part.value}`).join(', ')}>
    ${shown.map((part) => html`<span style=${{ flex: `${part.value} 1 0`, background: `var(--${part.color})` }} />`)}
  </div>`;
}

/** @param {{done: number, failed?: number, total: number, label: string}} props */
export function Progress({ done, failed = 0, total, label }) {
  const share = (/** @type {number} */ count) => `${total === 0 ? 0 : (count / total) * 100}%`;
  return html`<div class="progress" role="progressbar" aria-label=${label} aria-valuemin="0" aria-valuemax=${total} aria-valuenow=${done + failed}>
    <span class="done" style=${{ width: share(done) }} /><span class="failed" style=${{ width: share(failed) }} />
  </div>`;
}
