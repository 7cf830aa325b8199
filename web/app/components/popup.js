/** Menus and small windows at a button. They are popovers: Esc and a click elsewhere close them, and nothing cuts them off. */
import { html, useEffect, useId, useRef, useState } from '../view.js';
import { Icon } from './icon.js';
import { isTablet } from '../width.js';

/**
 * A button that opens something at itself.
 * @param {{label: any, class?: string, wide?: boolean, end?: boolean, name?: string, disabled?: boolean, sheet?: boolean, children: (close: () => void) => any, onOpen?: () => void, shortcut?: string}} props
 *   end: aligned with the end of the button; sheet: fills the width at the bottom on tablets
 */
export function Popup({ label, class: extra = 'button', wide, end, name, disabled, sheet, children, onOpen, shortcut }) {
  const id = useId();
  const button = useRef(/** @type {any} */ (null));
  const box = useRef(/** @type {any} */ (null));
  const [open, setOpen] = useState(false);

  const close = () => {
    if (box.current?.matches(':popover-open')) box.current.hidePopover();
  };
  const position = () => {
    const at = button.current.getBoundingClientRect();
    const size = box.current.getBoundingClientRect();
    const left = end ? at.right - size.width : at.left;
    const below = at.bottom + 6 + size.height < innerHeight || at.top < size.height;
    box.current.style.left = `${Math.max(8, Math.min(left, innerWidth - size.width - 8))}px`;
    box.current.style.top = `${below ? Math.min(at.bottom + 6, Math.max(8, innerHeight - size.height - 8)) : at.top - size.height - 6}px`;
  };
  useEffect(() => {
    if (!open) return undefined;
    if (!(sheet && isTablet.value)) position();
    box.current?.querySelector('[autofocus], input, [role="menuitem"], button, a')?.focus();
    return undefined;
  }, [open]);

  const toggled = (/** @type {any} */ event) => {
    const shown = event.newState === 'open';
    setOpen(shown);
    if (shown) onOpen?.();
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    const items = [...box.current.querySelectorAll('.item:not(:disabled)')];
    if (items.length === 0 || (event.target instanceof HTMLInputElement && event.target.type === 'date')) return;
    event.preventDefault();
    const at = items.indexOf(document.activeElement);
    items[(at + (event.key === 'ArrowDown' ? 1 : -1) + items.length) % items.length].focus();
  };
  return html`<button type="button" ref=${button} class=${extra} data-key=${shortcut} popovertarget=${id} aria-expanded=${open} aria-label=${name} disabled=${disabled}>${label}</button>
    <div id=${id} ref=${box} popover="auto" class=${`popup ${wide ? 'wide' : ''} ${sheet ? 'sheet' : ''}`} onToggle=${toggled} onKeyDown=${keys}>${open && children(close)}</div>`;
}

/**
 * @typedef {object} MenuItem
 * @property {string} label
 * @property {string} [icon]
 * @property {() => void} [act]
 * @property {string} [href]
 * @property {boolean} [danger]
 * @property {string} [missing] the right that is missing: shown disabled with its name
 * @property {any} [end] a key or a hint at the end
 */

/** A menu of acts; an act that is not permitted is shown disabled with the name of the missing right. @param {{label: any, class?: string, name?: string, items: Array<MenuItem | null | false | 'line'>, end?: boolean, shortcut?: string}} props */
export function Menu({ label, class: extra, name, items, end = true, shortcut }) {
  return html`<${Popup} shortcut=${shortcut} label=${label} class=${extra} name=${name} end=${end}>
    ${(/** @type {() => void} */ close) => html`<div role="menu">${items.map((item) => {
      if (!item) return null;
      if (item === 'line') return html`<hr />`;
      const inside = html`${item.icon && html`<${Icon} name=${item.missing ? 'lock' : item.icon} />`}<span>${item.label}</span>${item.end && html`<span class="end">${item.end}</span>`}`;
      const kind = `item ${item.danger ? 'danger' : ''}`;
      if (item.href && !item.missing) return html`<a role="menuitem" class=${kind} href=${item.href} onClick=${close}>${inside}</a>`;
      const act = () => {
        if (item.missing) return;
        close();
        item.act?.();
      };
      return html`<button type="button" role="menuitem" class=${kind} aria-disabled=${item.missing ? 'true' : undefined} data-tip=${item.missing && `You lack ${item.missing}.`} onClick=${act}>${inside}</button>`;
    })}</div>`}
  <//>`;
}

/** A button for an act that may be forbidden: then it is disabled, with a lock, and names the right on hover and focus. @param {{missing?: string | false | null, class?: string, onClick?: (event: any) => void, icon?: string, children?: any, busy?: boolean, disabled?: boolean, kbd?: string, type?: string, name?: string}} props */
export function Button({ missing, class: extra = '', onClick, icon, children, busy, disabled, kbd, type = 'button', name }) {
  const click = (/** @type {any} */ event) => {
    if (missing || busy || disabled) event.preventDefault();
    else onClick?.(event);
  };
  return html`<button type=${type} class=${`button ${extra}`} aria-disabled=${missing || disabled ? 'true' : undefined} aria-busy=${busy ? 'true' : undefined} data-key=${kbd === 'C' ? 'c' : undefined}
    data-tip=${missing ? `You lack ${missing}. Ask for it.` : undefined} aria-label=${name} onClick=${click}>
    ${missing ? html`<${Icon} name="lock" size="small" />` : busy ? html`<${Icon} name="refresh-cw" size="small" class="spin" />` : icon && html`<${Icon} name=${icon} size="small" />`}${children}${kbd && html`<kbd>${kbd}</kbd>`}
  </button>`;
}
