/** Adds a column to the table of rights: a group or a person to choose. */
import { html, useState } from '../../view.js';
import { Avatar } from '../../components/bits.js';
import { Button, Popup } from '../../components/popup.js';
import { Icon } from '../../components/icon.js';

/** @param {{people: import('./people.js').People, shown: string[], add: (key: string) => void, missing?: string}} props */
export function AddWho({ people, shown, add, missing }) {
  if (missing) return html`<${Button} class="small" missing=${missing}>Add<//>`;
  return html`<${Popup} class="button small" end label=${html`<${Icon} name="plus" size="small" />Add`} name="Add a group or a person">${(/** @type {() => void} */ close) => html`<${Choose} people=${people} shown=${shown} add=${add} close=${close} />`}<//>`;
}

/** @param {{people: import('./people.js').People, shown: string[], add: (key: string) => void, close: () => void}} props */
function Choose({ people, shown, add, close }) {
  const [text, setText] = useState('');
  const all = [...people.groups.map((name) => ({ key: `g:${name}`, name, group: true })), ...people.users.map((one) => ({ key: `u:${one.id}`, name: one.name, group: false }))]
    .filter((one) => !shown.includes(one.key) && !['g:admin', 'g:CCKM Admins'].includes(one.key) && one.name.toLowerCase().includes(text.trim().toLowerCase()));
  const choose = (/** @type {string} */ key) => {
    add(key);
    close();
  };
  return html`<div class="input small"><${Icon} name="search" size="small" /><input aria-label="Group or person" placeholder="Group or person" value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)} onKeyDown=${(/** @type {any} */ event) => event.key === 'Enter' && all[0] && choose(all[0].key)} /></div>
    ${all.slice(0, 12).map((one) => html`<button type="button" class="item" key=${one.key} onClick=${() => choose(one.key)}><${Avatar} name=${one.name} group=${one.group} /><bdi class="cut">${one.name}</bdi><span class="end">${one.group ? 'group' : ''}</span></button>`)}
    ${all.length === 0 && html`<div class="heading">Nobody else has this name.</div>`}${all.length > 12 && html`<div class="heading">${all.length - 12} more: type a part of the name.</div>`}`;
}
