let opening = false;

/**
 * Opens the palette, whose file is loaded when it is first needed. What is typed until its field has the focus is typed into it, and
 * is no shortcut of the page.
 */
export async function openPalette() {
  if (opening) return;
  opening = true;
  let text = '';
  let chosen = false;
  const keep = (/** @type {KeyboardEvent} */ event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Enter') chosen = true;
    else if (event.key === 'Backspace') text = [...text].slice(0, -1).join('');
    else if ([...event.key].length === 1) text += event.key;
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  addEventListener('keydown', keep, true);
  try {
    (await import('./palette.js')).openPalette(text);
  } finally {
    removeEventListener('keydown', keep, true);
    opening = false;
  }
  if (chosen) document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
}
