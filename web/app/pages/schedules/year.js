/** The rotations of the next twelve months: a dot for each run, the larger the more keys. */
import { html } from '../../view.js';
import { yearOf } from '../../lib/year.js';
import { number, plural } from '../../lib/text.js';
import { day } from '../../lib/time.js';
import { withQuery } from '../../router.js';
import { Card, now } from '../../components/bits.js';

/** @param {{schedules: any[]}} props those of the coverage */
export function Year({ schedules }) {
  const { months, rows, often, keys } = yearOf(schedules, now.value);
  if (rows.length === 0) return null;
  const at = (/** @type {number} */ share) => ({ insetInlineStart: `${(share * 100).toFixed(2)}%` });
  return html`<${Card} title="The next twelve months" sub=${`${plural(keys, 'key')} will be rotated; the larger the dot, the more keys`} flush>
    <div class="year" aria-hidden="true"><span></span><span class="months">${months.map((month) => html`<span class="small t2" style=${at(month.share)} key=${month.label}>${month.label}</span>`)}</span></div>
    <ul>${rows.map((row) => html`<li key=${row.id}><a class="year plain" href=${withQuery({ open: row.id })}><span class="cut"><bdi>${row.name}</bdi><span class="unseen">: ${plural(row.keys, 'key')}, ${row.dots.length === 1 ? 'one run' : `${number(row.dots.length)} runs`}, the first on ${day(row.dots[0].at, now.value)}</span></span>
      <span class="line" aria-hidden="true">${months.map((month) => html`<i style=${at(month.share)} key=${month.label} />`)}${row.dots.map((dot) => html`<b title=${day(dot.at, now.value)} key=${dot.at} style=${{ ...at(dot.share), '--size': `${Math.round(6 + 12 * row.size)}px`, '--most': `${80 / row.dots.length}%` }} />`)}</span></a></li>`)}</ul>
    ${often.length > 0 && html`<div class="card-foot">${often.slice(0, 3).join(', ')}${often.length > 3 ? ` and ${number(often.length - 3)} more` : ''} ${often.length === 1 ? 'runs' : 'run'} more than 60 times a year.</div>`}<//>`;
}
