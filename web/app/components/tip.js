/** Tooltips: whatever has `data-tip` shows it on hover and focus; `data-tip-cut` only if the text is cut off. Esc hides it. */

/** @type {HTMLElement | null} */
let box = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

function hide() {
  clearTimeout(timer);
  box?.remove();
  box = null;
}

/** @param {Element} of */
function show(of) {
  const cut = of.getAttribute('data-tip-cut');
  const text = of.getAttribute('data-tip') ?? (cut !== null && of.scrollWidth > of.clientWidth ? cut : null);
  if (!text) return;
  hide();
  timer = setTimeout(() => {
    if (!of.isConnected) return;
    box = document.createElement('div');
    box.className = 'tip';
    box.setAttribute('role', 'tooltip');
    box.textContent = text;
    (of.closest('dialog, [popover]') ?? document.body).append(box);
    const at = of.getBoundingClientRect();
    const size = box.getBoundingClientRect();
    const top = at.bottom + 6 + size.height < innerHeight ? at.bottom + 6 : at.top - size.height - 6;
    box.style.top = `${top}px`;
    box.style.left = `${Math.max(8, Math.min(at.left, innerWidth - size.width - 8))}px`;
  }, 250);
}

export function startTips() {
  const on = (/** @type {Event} */ event) => {
    const of = event.target instanceof Element ? event.target.closest('[data-tip], [data-tip-cut]') : null;
    if (of) show(of);
    else hide();
  };
  document.addEventListener('pointerover', on);
  document.addEventListener('focusin', on);
  document.addEventListener('pointerdown', hide);
  document.addEventListener('keydown', (event) => event.key === 'Escape' && hide());
}
