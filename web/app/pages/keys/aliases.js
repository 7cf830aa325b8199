/** Aliases and tags of a key: what is there, add, take away. */
import { html } from '../../view.js';
import { api } from '../../api.js';
import { Card, Empty, Name } from '../../components/bits.js';
import { ask } from '../../components/dialog.js';
import { act } from '../../components/over.js';
import { FormNote, TextField, useForm } from '../../components/form.js';
import { Button } from '../../components/popup.js';
import { missing } from './actions.js';

/** @param {{row: any, path: string, changed: (answer: any) => void, readOnly?: boolean}} props */
export function AliasesAndTags({ row: key, path, changed, readOnly }) {
  const aliases = /** @type {string[]} */ (key.aws_param?.Alias ?? []);
  const tags = /** @type {any[]} */ (key.aws_param?.Tags ?? []);
  const alias = useForm(null, { alias: '' });
  const tag = useForm(null, { tag_key: '', tag_value: '' });
  const lacks = missing(key, 'keyupdate');

  const run = (/** @type {string} */ verb, /** @type {any} */ body) => api.post(`${path}/${verb}`, body).then((answer) => (changed(answer), answer));
  const addAlias = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (await alias.submit((values) => run('add-alias', { alias: values.alias }))) alias.set({ alias: '' });
  };
  const addTag = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (await tag.submit((values) => run('add-tags', { tags: [values] }))) tag.set({ tag_key: '', tag_value: '' });
  };
  const dropAlias = (/** @type {string} */ name) => ask({
    title: `Take ${name} off this key?`, text: 'Whoever calls AWS by this alias is refused from then on.', act: 'Take it off', keep: 'Keep the alias', run: () => run('delete-alias', { alias: name }),
  });
  const dropTag = (/** @type {any} */ one) => act(() => run('remove-tags', { tags: [one.TagKey] }), `The tag ${one.TagKey} is removed.`, () => run('add-tags', { tags: [{ tag_key: one.TagKey, tag_value: one.TagValue }] }));

  return html`<div class="body"><div class="columns even">
    <${Card} title="Aliases" sub=${aliases.length} flush>
      ${aliases.length === 0 && html`<${Empty} title="No alias">Callers name this key by its id or its ARN.<//>`}
      <table class="table"><tbody>${aliases.map((name) => html`<tr key=${name}><td><${Name} text=${name} /></td><td class="right">${!readOnly && html`<${Button} class="small quiet" missing=${lacks} onClick=${() => dropAlias(name)}>Take off…<//>`}</td></tr>`)}</tbody></table>
      ${!readOnly && html`<form class="card-body column" onSubmit=${addAlias}><${TextField} form=${alias} name="alias" label="Another alias" prefix="alias/" hint="Asked of AWS when it is added." /><${FormNote} form=${alias} /><div><${Button} type="submit" class="small" missing=${lacks} busy=${alias.busy} disabled=${alias.values.alias === ''}>Add the alias<//></div></form>`}<//>
    <${Card} title="Tags" sub=${`${tags.length} of 50`} flush>
      ${tags.length === 0 && html`<${Empty} title="No tags">Tags group keys, and decide access by conditions.<//>`}
      <table class="table"><tbody>${tags.map((one) => html`<tr key=${one.TagKey}><td><bdi class="strong cut">${one.TagKey}</bdi></td><td><bdi class="cut">${one.TagValue}</bdi></td><td class="right">${!readOnly && html`<${Button} class="small quiet" missing=${lacks} onClick=${() => dropTag(one)}>Remove<//>`}</td></tr>`)}</tbody></table>
      ${!readOnly && html`<form class="card-body column" onSubmit=${addTag}><div class="form"><${TextField} form=${tag} name="tag_key" label="Key" /><${TextField} form=${tag} name="tag_value" label="Value" optional /></div><${FormNote} form=${tag} /><div><${Button} type="submit" class="small" missing=${lacks} busy=${tag.busy} disabled=${tag.values.tag_key === ''}>Add the tag<//></div></form>`}<//></div></div>`;
}
