/** JSON to read: coloured, and the difference of two texts side by side. Everything is text; nothing of it is ever markup. */
import { html, useState } from '../view.js';
import { diffLines, changedParts } from '../lib/diff.js';
import { Copy } from './bits.js';
import { Icon } from './icon.js';

/** One line with the names of members coloured. @param {string} line */
function coloured(line) {
  const found = /^(\s*)("(?:[^"\\]|\\.)*")(\s*:)(.*)$/s.exec(line);
  return found ? html`${found[1]}<span class="key">${found[2]}</span>${found[3]}${found[4]}` : line;
}

/** @param {{value: any, label?: string, copy?: boolean}} props value: an object, or its text */
export function Json({ value, label = 'JSON', copy = true }) {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  return html`<div class="json-box">${copy && html`<${Copy} text=${text} what=${label} />`}<pre class="json" tabindex="0" aria-label=${label}>${text.split('\n').map((line, i) => html`${i > 0 ? '\n' : ''}${coloured(line)}`)}</pre></div>`;
}

/** Two texts side by side: equal lines are folded, changed words marked. @param {{before: string, after: string, titles?: [any, any]}} props */
export function Difference({ before, after, titles = ['Before', 'After'] }) {
  const [unfolded, setUnfolded] = useState(/** @type {Set<number>} */ (new Set()));
  const rows = diffLines(before, after);
  const parts = fold(rows, unfolded);
  return html`<div class="difference" role="table" aria-label="Difference" tabindex="0">
    <div class="difference-row titles" role="row"><div role="columnheader">${titles[0]}</div><div role="columnheader">${titles[1]}</div></div>
    ${parts.map((part) => (part.kind === 'fold'
      ? html`<div role="row"><div role="cell"><button type="button" class="fold" onClick=${() => setUnfolded(new Set([...unfolded, part.at]))}><${Icon} name="chevrons-up-down" size="small" />${part.count} lines are the same</button></div></div>`
      : html`<${Row} row=${part.row} />`))}</div>`;
}

/** Runs of more than six equal lines become one, three lines of context stay. @param {import('../lib/diff.js').Row[]} rows @param {Set<number>} unfolded */
function fold(rows, unfolded) {
  /** @type {Array<{kind: 'row', row: import('../lib/diff.js').Row} | {kind: 'fold', at: number, count: number}>} */
  const parts = [];
  for (let i = 0; i < rows.length;) {
    let end = i;
    while (end < rows.length && rows[end].kind === 'same') end += 1;
    const first = i === 0 ? i : i + 3;
    const last = end === rows.length ? end : end - 3;
    if (last - first > 3 && !unfolded.has(i)) {
      for (let k = i; k < first; k += 1) parts.push({ kind: 'row', row: rows[k] });
      parts.push({ kind: 'fold', at: i, count: last - first });
      for (let k = last; k < end; k += 1) parts.push({ kind: 'row', row: rows[k] });
    } else for (let k = i; k < end; k += 1) parts.push({ kind: 'row', row: rows[k] });
    while (end < rows.length && rows[end].kind !== 'same') {
      parts.push({ kind: 'row', row: rows[end] });
      end += 1;
    }
    i = end;
  }
  return parts;
}

/** @param {{row: import('../lib/diff.js').Row}} props */
function Row({ row }) {
  const [left, right] = row.kind === 'changed' ? changedParts(row.before ?? '', row.after ?? '') : [null, null];
  const side = (/** @type {'before' | 'after'} */ which, /** @type {any} */ parts) => {
    const text = row[which];
    if (text === undefined) return html`<div role="cell" class="line nothing"></div>`;
    const tone = row.kind === 'same' ? '' : which === 'before' ? 'removed' : 'added';
    return html`<div role="cell" class=${`line ${tone}`}><span class="number">${tone && html`<b>${which === 'before' ? '−' : '+'}</b>`}${which === 'before' ? row.left : row.right}</span><code>${
      parts ? html`${parts[0]}<mark>${parts[1]}</mark>${parts[2]}` : coloured(text)}</code></div>`;
  };
  return html`<div class="difference-row" role="row">${side('before', left)}${side('after', right)}</div>`;
}
