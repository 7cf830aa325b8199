/** The picture beside the sign-in: the mark as a key, its bitting cut by a hash, above and below the cuts of others. */
import { html } from '../../view.js';

const HASH = '6c3e9a41d7f02b85e1907f4ac86d35b2';

/** The cut of a key as a path, teeth hanging from the top. @param {string} hash @param {number} left @param {number} top @param {number} width @param {number} deep */
function cut(hash, left, top, width, deep) {
  const step = width / hash.length;
  let path = `M${left} ${top}`;
  [...hash].forEach((digit, i) => {
    const y = top + deep * (0.25 + (parseInt(digit, 16) / 15) * 0.75);
    path += `L${left + i * step + step * 0.25} ${y.toFixed(1)}H${(left + (i + 1) * step - step * 0.08).toFixed(1)}`;
  });
  return `${path}L${left + width} ${top}Z`;
}

export function KeyPicture() {
  const rows = [-410, -360, -310, -260, -210, -160, -110, 120, 170, 220, 270, 320, 370, 420];
  return html`<svg width="760" height="960" viewBox="-100 -480 760 960" fill="none">
    ${rows.map((y, i) => html`<path d=${cut(HASH.slice(i) + HASH.slice(0, i), -4, y, 700, 20)} fill="#c9a94a" opacity=${0.05 + 0.1 * (1 - Math.abs(y) / 480)} />`)}
    <path d="M141 -50A80 80 0 1 0 141 50" stroke="#d8bc62" stroke-width="24" stroke-linecap="round" />
    <circle cx="76" cy="0" r="21" fill="#d8bc62" /><path d="M76 -11H680V11H76Z" fill="#d8bc62" /><path d=${cut(HASH, 188, 11, 492, 52)} fill="#d8bc62" /><path d="M186 0H680" stroke="#151a1b" stroke-opacity=".55" stroke-width="3" />
  </svg>`;
}
