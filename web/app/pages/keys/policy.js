/** The policy of a key: who is in it, its JSON checked as one types, and the difference to what AWS has. */
import { html, useEffect, useLayoutEffect, useRef, useState } from '../../view.js';
import { api, versionOf } from '../../api.js';
import { changed as changedPath } from '../../data.js';
import { draft, keepDraft } from '../../storage.js';
import { lacks } from '../../rights.js';
import { jsonText, number } from '../../lib/text.js';
import { keyName } from '../../lib/key.js';
import { lockoutOf, MOST_BYTES, readPolicy } from '../../lib/policy.js';
import { Chip, ErrorNote, Note, Time } from '../../components/bits.js';
import { ask } from '../../components/dialog.js';
import { Segments } from '../../components/segments.js';
import { Icon } from '../../components/icon.js';
import { Difference, Json } from '../../components/json.js';
import { Button } from '../../components/popup.js';
import { toast } from '../../components/toast.js';
import { PolicyPeople } from './policy-people.js';
import { PolicyChange } from './policy-change.js';
import { PolicyThen } from './policy-then.js';

/** @param {{row: any, path: string, changed: (answer: any) => void, readOnly?: boolean}} props */
export function KeyPolicy({ row: key, path, changed, readOnly }) {
  const inAws = jsonText(key.aws_param?.Policy);
  const name = `policy.${key.id}`;
  const [kept] = useState(() => (readOnly ? null : draft(name)));
  const [text, setText] = useState(kept?.text ?? inAws);
  const [began, setBegan] = useState(kept?.began ?? inAws);
  const [version] = useState(() => versionOf(path));
  const [view, setView] = useState(kept ? 'difference' : 'people');
  const [checked, setChecked] = useState(/** @type {any} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState('');
  const edited = text !== inAws && text !== '';
  const stale = edited && began !== inAws;
  const { value, fault } = readPolicy(text);
  const bytes = new TextEncoder().encode(value ? JSON.stringify(value) : text).length;
  const missing = lacks(key, 'keyupdate');

  // A text that nobody has changed follows the policy in AWS; a draft stays, and says that it is older.
  useEffect(() => {
    if (!readOnly && text !== began) return;
    setText(inAws);
    setBegan(inAws);
  }, [inAws]);
  // Kept before it is seen: the page may be left at once.
  useLayoutEffect(() => {
    if (!readOnly) keepDraft(name, edited ? { text, began } : null);
  }, [text]);
  useEffect(() => {
    setError(null);
    // What was said of an older text says nothing of this one.
    setChecked(null);
    if (!edited || !value || missing) {
      return undefined;
    }
    const abort = new AbortController();
    // The check asks AWS, so it waits until the typing rests.
    const timer = setTimeout(() => check(abort.signal), 400);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text]);

  const latest = useRef(text);
  latest.current = text;
  const check = async (/** @type {AbortSignal | undefined} */ signal) => {
    try {
      const answer = await api.post(`${path}/check-policy`, { policy: text }, { signal });
      // What is said of an older text is of no use any more.
      if (latest.current === text) setChecked(answer);
      return answer;
    } catch (/** @type {any} */ failed) {
      if (!signal?.aborted && failed.status !== 404) setError(failed);
      return null;
    }
  };
  const format = () => value && setText(jsonText(value));
  const discard = () => {
    keepDraft(name, null);
    setText(inAws);
    setBegan(inAws);
  };
  const save = async () => {
    const put = () => api.post(`${path}/policy`, { policy: text }, { version: versionOf(path) ?? version });
    setError(null);
    setBusy('save');
    // The check of this very text: it may have been typed a moment ago.
    const known = checked ?? (await check(undefined));
    if (known?.valid === false) return setBusy('');
    if (lockoutOf(known) === 'account') {
      setBusy('');
      const answer = await ask({ title: `Lock the account out of ${keyName(key)}?`, level: 3, name: keyName(key).replace(/^alias\//, ''), text: known.lockout.text, act: 'Save the policy', keep: 'Go back', run: put });
      if (answer) saved(answer);
      return undefined;
    }
    setError(null);
    try {
      saved(await put());
    } catch (failed) {
      setError(failed);
    }
    setBusy('');
    return undefined;
  };
  const saved = (/** @type {any} */ answer) => {
    keepDraft(name, null);
    changed(answer);
    const now = answer?.aws_param ? jsonText(answer.aws_param.Policy) : text;
    setText(now);
    setBegan(now);
    changedPath('/cckm/aws/keys');
    toast(html`The policy of ${keyName(key)} is set in AWS.`);
    setView('people');
  };
  const status = fault ? html`<span class="danger row"><${Icon} name="circle-alert" size="small" />Line ${fault.line}, column ${fault.column}: ${fault.message}</span>`
    : bytes > MOST_BYTES ? html`<span class="danger">${number(bytes)} bytes, at most ${number(MOST_BYTES)}</span>`
    : html`<span class="row t2"><${Icon} name="check" size="small" class="ok" />Valid JSON, ${number(bytes)} of ${number(MOST_BYTES)} bytes</span>`;

  return html`<div class="body">
    ${inAws === '' && html`<${Note} tone="warn">The policy could not be read from AWS. Allow <code>kms:GetKeyPolicy</code>, then read the key again.<//>`}
    ${stale && html`<${Note} tone="warn" acts=${html`<button type="button" class="link" onClick=${() => setView('difference')}>Compare</button><button type="button" class="link" onClick=${discard}>Take AWS’s</button>`}><b>AWS has a newer policy than the one you began with.</b> Your draft is kept. Read <${Time} at=${key.synced_at} />.<//>`}
    <div class="columns"><section class="card"><div class="card-head"><${Segments} label="View" value=${view} onChange=${setView} options=${[['people', 'People'], ['json', 'JSON'], ...(readOnly ? [] : [['difference', 'Difference']])]} />
        ${key.cckm_policy_template_id && html`<${Chip} tip="A template sets this policy; a policy of its own takes the template off">by a template<//>`}<span class="end small">${status}</span></div>
      ${view === 'people' && html`<${PolicyPeople} policy=${value} inAws=${readPolicy(inAws).value} row=${key} set=${(/** @type {any} */ next) => setText(jsonText(next))} readOnly=${readOnly || Boolean(missing)} />`}
      ${view === 'json' && (readOnly || missing ? html`<div class="card-body"><${Json} value=${text} label="the policy" /></div>` : html`<${Editor} text=${text} set=${setText} fault=${fault} />`)}
      ${view === 'difference' && html`<${Difference} before=${inAws} after=${value ? jsonText(value) : text} titles=${[html`<b>In AWS</b>, read <${Time} at=${key.synced_at} />`, html`<b>Your draft</b>, kept in this tab`]} />`}</section>
      ${readOnly ? html`<${PolicyThen} row=${key} path=${path} />` : html`<${PolicyChange} before=${readPolicy(inAws).value} after=${value} checked=${checked} edited=${edited} row=${key} path=${path} />`}</div>
    <${ErrorNote} error=${error} kept /></div>
    ${!readOnly && html`<div class="foot"><span class="t2">${edited ? 'Asks AWS, reads back, then records the change.' : 'What AWS has now.'}</span><span class="grow"></span>
      ${view === 'json' && value && html`<button type="button" class="button quiet" onClick=${format}>Format</button>`}<button type="button" class="button quiet" disabled=${!edited} onClick=${discard}>Discard</button>
      <span data-dry><${Button} icon="eye" disabled=${!edited || !value} missing=${missing} onClick=${() => check(undefined)}>Dry run<//></span>
      <span data-save><${Button} class="ink" kbd="Ctrl S" busy=${busy === 'save'} missing=${missing} disabled=${!edited || !value || bytes > MOST_BYTES || checked?.valid === false} onClick=${save}>Save policy<//></span></div>`}`;
}

/** A field for JSON with numbers of lines; the line with the fault is marked. @param {{text: string, set: (text: string) => void, fault: import('../../lib/policy.js').Fault | null}} props */
export function Editor({ text, set, fault }) {
  const lines = text.split('\n').length;
  const keys = (/** @type {any} */ event) => {
    // Tab moves on, as everywhere; two spaces come with Enter after an opening bracket.
    if (event.key !== 'Enter') return;
    const { selectionStart: at, value } = event.target;
    const line = value.slice(value.lastIndexOf('\n', at - 1) + 1, at);
    const indent = (/^\s*/.exec(line) ?? [''])[0] + (/[{[]\s*$/.test(line) ? '  ' : '');
    event.preventDefault();
    event.target.setRangeText(`\n${indent}`, at, event.target.selectionEnd, 'end');
    set(event.target.value);
  };
  return html`<div class="editor"><div class="gutter" aria-hidden="true">${Array.from({ length: lines }, (_, i) => html`<span class=${fault?.line === i + 1 ? 'fault' : ''}>${i + 1}</span>`)}</div>
    <textarea class="mono" aria-label="The policy as JSON" aria-invalid=${Boolean(fault)} rows=${Math.max(12, lines)} value=${text} spellcheck="false" wrap="off" onKeyDown=${keys} onInput=${(/** @type {any} */ event) => set(event.target.value)}></textarea></div>`;
}
