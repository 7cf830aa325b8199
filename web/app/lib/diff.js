/** Pure functions: the difference of two texts by lines, and of two lines by their middle. */

/**
 * @typedef {object} Row
 * @property {'same' | 'changed' | 'added' | 'removed'} kind
 * @property {string} [before]
 * @property {string} [after]
 * @property {number} [left] the number of the line before
 * @property {number} [right]
 */

/** Lines that two texts have in common, by the longest common subsequence. @param {string[]} a @param {string[]} b */
function common(a, b) {
  const width = b.length + 1;
  const best = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      best[i * width + j] = a[i] === b[j] ? best[(i + 1) * width + j + 1] + 1 : Math.max(best[(i + 1) * width + j], best[i * width + j + 1]);
    }
  }
  return (/** @type {number} */ i, /** @type {number} */ j) => best[i * width + j];
}

/** @param {string} before @param {string} after @returns {Row[]} */
export function diffLines(before, after) {
  const a = before === '' ? [] : before.split('\n');
  const b = after === '' ? [] : after.split('\n');
  // Texts beyond this are shown as replaced: the table of the comparison would be too large.
  if (a.length * b.length > 4_000_000) return [...a.map((line, i) => row('removed', line, undefined, i, -1)), ...b.map((line, i) => row('added', undefined, line, -1, i))];
  const best = common(a, b);
  /** @type {Row[]} */
  const rows = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      rows.push(row('same', a[i], b[j], i, j));
      i += 1;
      j += 1;
      continue;
    }
    const from = { i, j };
    while ((i < a.length || j < b.length) && !(i < a.length && j < b.length && a[i] === b[j])) {
      if (j >= b.length || (i < a.length && best(i + 1, j) >= best(i, j + 1))) i += 1;
      else j += 1;
    }
    const most = Math.max(i - from.i, j - from.j);
    for (let k = 0; k < most; k += 1) {
      const left = from.i + k < i ? a[from.i + k] : undefined;
      const right = from.j + k < j ? b[from.j + k] : undefined;
      const kind = left === undefined ? 'added' : right === undefined ? 'removed' : 'changed';
      rows.push(row(kind, left, right, from.i + k, from.j + k));
    }
  }
  return rows;
}

/** @param {Row['kind']} kind @param {string | undefined} before @param {string | undefined} after @param {number} i @param {number} j @returns {Row} */
function row(kind, before, after, i, j) {
  return { kind, before, after, left: before === undefined ? undefined : i + 1, right: after === undefined ? undefined : j + 1 };
}

/** What differs in two lines: their common start, the middles, their common end. @param {string} before @param {string} after @returns {[[string, string, string], [string, string, string]]} */
export function changedParts(before, after) {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < before.length - start && end < after.length - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  const cut = (/** @type {string} */ text) => /** @type {[string, string, string]} */ ([text.slice(0, start), text.slice(start, text.length - end), text.slice(text.length - end)]);
  return [cut(before), cut(after)];
}
