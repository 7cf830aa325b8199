/**
 * Forms: `useForm` keeps the values, a draft of them in this tab (never secrets), and the server's refusal, which goes to the field
 * that the server names, or to a note above the buttons.
 */
import { html, useId, useLayoutEffect, useRef, useState } from '../view.js';
import { draft, keepDraft } from '../storage.js';
import { ErrorNote } from './bits.js';
import { FieldError } from './field-error.js';
import { Icon } from './icon.js';


/**
 * @typedef {object} Form
 * @property {Record<string, any>} values
 * @property {(changes: Record<string, any>) => void} set
 * @property {Record<string, any>} errors by the API's name of the member
 * @property {any} note an error that belongs to no field
 * @property {boolean} busy
 * @property {boolean} drafted whether a draft was taken up
 * @property {boolean} kept whether a draft is kept of what is typed
 * @property {(run: (values: any) => Promise<any>) => Promise<any>} submit answers null if it was refused
 * @property {(errors: Record<string, any>) => void} refuse
 * @property {() => void} forget forgets the draft
 * @property {Set<string>} fields the members that have a field
 */

/** @param {string | null} name of the draft; null keeps none @param {Record<string, any>} initial @param {{secrets?: string[]}} [how] @returns {Form} */
export function useForm(name, initial, { secrets = [] } = {}) {
  const [first] = useState(() => (name === null ? null : draft(name)));
  const [values, setValues] = useState({ ...initial, ...first });
  const [errors, setErrors] = useState(/** @type {Record<string, any>} */ ({}));
  const [note, setNote] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  const fields = useRef(/** @type {Set<string>} */ (new Set()));
  const touched = useRef(false);

  // Kept before it is seen: the page may be left at once.
  useLayoutEffect(() => {
    if (name === null || !touched.current) return;
    const kept = Object.entries(values).filter(([member]) => !secrets.includes(member));
    keepDraft(name, Object.fromEntries(kept));
  }, [values]);

  const forget = () => {
    touched.current = false;
    if (name !== null) keepDraft(name, null);
  };
  return {
    values,
    errors,
    note,
    busy,
    drafted: first !== null,
    kept: name !== null,
    fields: fields.current,
    forget,
    refuse: setErrors,
    set(changes) {
      touched.current = true;
      setValues((/** @type {any} */ old) => ({ ...old, ...changes }));
      setErrors((old) => Object.fromEntries(Object.entries(old).filter(([member]) => !(member in changes))));
    },
    async submit(run) {
      setBusy(true);
      setErrors({});
      setNote(null);
      try {
        const answer = await run(values);
        forget();
        return answer ?? true;
      } catch (/** @type {any} */ error) {
        const member = error.member?.split(/[.[]/).pop();
        const field = [error.member, member].find((one) => one !== undefined && fields.current.has(one));
        if (field !== undefined) setErrors({ [field]: error });
        else setNote(error);
        return null;
      } finally {
        setBusy(false);
      }
    },
  };
}

/**
 * A field: its label over it, whether it is optional, a hint, and the server's error.
 * @param {{form: Form, name: string, label: any, optional?: boolean | string, hint?: any, good?: any, full?: boolean, children: (control: {id: string, value: any, set: (value: any) => void, bad: boolean, describedby: string | undefined}) => any}} props
 *   name: the member of the API, so that errors find their field
 */
export function Field({ form, name, label, optional, hint, good, full, children }) {
  const id = useId();
  form.fields.add(name);
  const error = form.errors[name];
  const below = hint || (good && !error) ? `${id}-below` : undefined;
  const describedby = [error && `${id}-error`, below].filter(Boolean).join(' ') || undefined;
  return html`<div class=${`field ${full ? 'full' : ''}`}>
    <label for=${id}>${label}${optional && html`<span class="optional">${optional === true ? 'optional' : optional}</span>`}</label>
    ${children({ id, value: form.values[name], set: (value) => form.set({ [name]: value }), bad: Boolean(error), describedby })}
    ${error && html`<${FieldError} error=${error} id=${`${id}-error`} value=${form.values[name]} use=${(/** @type {number} */ value) => form.set({ [name]: typeof form.values[name] === 'number' ? value : String(value) })} />`}
    ${good && !error ? html`<div class="good" id=${below}><${Icon} name="check" /><span>${good}</span></div>` : hint && html`<div class="hint" id=${below}>${hint}</div>`}
  </div>`;
}

/** A line of text. @param {any} props those of Field, and: type, placeholder, mono, required, autocomplete, disabled */
export function TextField({ type = 'text', placeholder, mono, required, autocomplete = 'off', disabled, autofocus, prefix, ...field }) {
  return html`<${Field} ...${field}>${(/** @type {any} */ control) => html`<div class=${`input ${control.bad ? 'bad' : ''}`}>${prefix && html`<span class="t3">${prefix}</span>`}
    <input id=${control.id} class=${mono ? 'mono' : ''} type=${type} value=${control.value ?? ''} placeholder=${placeholder} required=${required} disabled=${disabled} autofocus=${autofocus}
      autocomplete=${autocomplete} spellcheck="false" aria-invalid=${control.bad} aria-describedby=${control.describedby} onInput=${(/** @type {any} */ event) => control.set(event.target.value)} /></div>`}<//>`;
}

/** Several lines. @param {any} props those of Field, and: rows, mono, placeholder */
export function AreaField({ rows = 4, mono, placeholder, ...field }) {
  return html`<${Field} ...${field}>${(/** @type {any} */ control) => html`<textarea id=${control.id} class=${`input ${mono ? 'mono' : ''} ${control.bad ? 'bad' : ''}`} rows=${rows} placeholder=${placeholder}
    spellcheck="false" aria-invalid=${control.bad} aria-describedby=${control.describedby} value=${control.value ?? ''} onInput=${(/** @type {any} */ event) => control.set(event.target.value)} />`}<//>`;
}

/** One of a list. @param {any} props those of Field, and: options [[value, label]], none (label of no choice) */
export function SelectField({ options, none, disabled, ...field }) {
  return html`<${Field} ...${field}>${(/** @type {any} */ control) => html`<select id=${control.id} class=${`select ${control.bad ? 'bad' : ''}`} disabled=${disabled} value=${control.value ?? ''}
    aria-invalid=${control.bad} aria-describedby=${control.describedby} onChange=${(/** @type {any} */ event) => control.set(event.target.value)}>
    ${none !== undefined && html`<option value="">${none}</option>`}${options.map((/** @type {any} */ [value, label]) => html`<option value=${value} selected=${value === (control.value ?? '')}>${label}</option>`)}</select>`}<//>`;
}

/** Yes or no. @param {{form: Form, name: string, label: any, hint?: any}} props */
export function CheckField({ form, name, label, hint }) {
  form.fields.add(name);
  const error = form.errors[name];
  return html`<div class="field"><label class="check"><input type="checkbox" class="box" checked=${Boolean(form.values[name])} onChange=${(/** @type {any} */ event) => form.set({ [name]: event.target.checked })} /><span>${label}</span></label>
    ${error && html`<${FieldError} error=${error} value="" use=${() => undefined} />`}${hint && html`<div class="hint">${hint}</div>`}</div>`;
}

/**
 * Keeps a choice within what another choice leaves: a value that is not offered any more becomes the first one that is, or none.
 * @param {Form} form @param {string} name @param {string[] | null | undefined} offered null while it is not known @param {boolean} [none] whether nothing is chosen then
 */
export function useOffered(form, name, offered, none = false) {
  const value = form.values[name];
  // Before the user can choose from what is offered now: what is chosen in between would be taken back.
  useLayoutEffect(() => {
    const next = none ? '' : offered?.[0] ?? '';
    if (offered && value !== next && !offered.includes(value)) form.set({ [name]: next });
  }, [value, JSON.stringify(offered)]);
}

/** The error of a form that belongs to no field; above its buttons. @param {{form: Form}} props */
export const FormNote = ({ form }) => form.note && html`<${ErrorNote} error=${form.note} kept=${form.kept} />`;
