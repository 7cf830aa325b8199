/**
 * Time travel: the bar under the top bar while `at` is set. A tick for each record of the object's history; the last week takes a
 * quarter of the track. The thumb is a slider: arrows step from record to record.
 */
import { html, useEffect, useRef, useState } from '../view.js';
import { useGet } from '../data.js';
import { query, setQuery } from '../router.js';
import { number } from '../lib/text.js';
import { placeOf, timeAt } from '../lib/track.js';
import { DAY, clock, clockSeconds, day, exact, parse, relative, weekday } from '../lib/time.js';
import { ErrorNote, Skeleton, now } from './bits.js';
import { Icon } from './icon.js';

/** The path of the history of the object, newest first, as a TimeBar reads it; pages may read the same. */
export const HISTORY = { sort: '-seq', limit: 1000 };

/** @param {{path: string, name: string, begun: string, compare?: string}} props path: of the object; begun: when it was made; compare: the address where then and now stand side by side */
export function TimeBar({ path, name, begun, compare }) {
  const given = String(query.value.at);
  const at = parse(given) ?? Date.now();
  const read = useGet(`${path}/history`, HISTORY);
  const records = /** @type {any[]} */ ([...(read.data?.resources ?? [])].reverse());
  const track = useRef(/** @type {any} */ (null));
  const [dragged, setDragged] = useState(/** @type {number | null} */ (null));
  const end = now.value;
  const begin = Math.min(parse(begun) ?? end - DAY, parse(records[0]?.time) ?? end);
  const place = dragged ?? placeOf(at, begin, end);

  // A record belongs to the past that is shown if its exact time, nanoseconds and all, is not later.
  const last = records.filter((record) => record.time <= given || (parse(record.time) ?? 0) < at).length - 1;
  const step = (/** @type {number} */ to) => records[to] && setQuery({ at: records[to].time });
  const keys = (/** @type {KeyboardEvent} */ event) => {
    const to = { ArrowLeft: last - 1, ArrowDown: last - 1, ArrowRight: last + 1, ArrowUp: last + 1, PageDown: last - 10, PageUp: last + 10, Home: 0, End: records.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    step(Math.max(0, Math.min(to, records.length - 1)));
  };
  const point = (/** @type {PointerEvent} */ event) => {
    const box = track.current.getBoundingClientRect();
    return Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
  };
  const down = (/** @type {PointerEvent} */ event) => {
    track.current.setPointerCapture(event.pointerId);
    setDragged(point(event));
  };
  const up = () => {
    if (dragged === null) return;
    setQuery({ at: new Date(Math.round(timeAt(dragged, begin, end))).toISOString() });
    setDragged(null);
  };
  const shownAt = dragged === null ? at : timeAt(dragged, begin, end);
  const [field, setField] = useState(text(shownAt));
  useEffect(() => setField(text(shownAt)), [shownAt]);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    // The field has no parts of a second: left as it is, it changes nothing.
    if (field === text(at)) return;
    const typed = Date.parse(`${field.trim().replace(' ', 'T')}Z`);
    if (Number.isNaN(typed)) setField(text(at));
    else setQuery({ at: new Date(typed).toISOString() });
  };
  const short = end - begin < 2 * DAY;
  const mark = (/** @type {number} */ when) => (short ? clock(when) : day(when, end));
  const marks = [0.25, 0.5, 0.75].map((one) => mark(timeAt(one, begin, end)));
  const long = `${weekday(shownAt)} ${day(shownAt, end)}, ${clockSeconds(shownAt)} UTC`;
  return html`<section class="timebar" aria-label="Time travel">
    <div class="row"><${Icon} name="history" class="past hide-small" /><b class="cut">${name}, as it was on ${long}</b><span class="small t2 cut hide-small">${relative(shownAt, end)}${last >= 0 && `, after record ${number(records[last].seq)}`}</span>
      <span class="end row nowrap"><span class="segments"><button type="button" aria-label="The record before" disabled=${last < 1} onClick=${() => step(last - 1)}><${Icon} name="skip-back" size="small" /></button><button type="button" aria-label="The record after" disabled=${last >= records.length - 1} onClick=${() => step(last + 1)}><${Icon} name="skip-forward" size="small" /></button></span>
        <form class="hide-small" onSubmit=${submit}><input class="input mono at" aria-label="Time in UTC" value=${field} onInput=${(/** @type {any} */ event) => setField(event.target.value)} onBlur=${submit} /></form>
        ${compare && html`<a class="button small hide-small" href=${compare}><${Icon} name="git-compare-arrows" size="small" />Compare with now</a>`}
        <button type="button" class="button small past" onClick=${() => setQuery({ at: null }, { push: true })}>Back to now</button></span></div>
    <div class="track" ref=${track} onPointerDown=${down} onPointerMove=${(/** @type {PointerEvent} */ event) => dragged !== null && setDragged(point(event))} onPointerUp=${up} onPointerCancel=${() => setDragged(null)}>
      <span class="done" style=${{ width: `${place * 100}%` }}></span>
      ${records.map((record) => html`<i class="tick" key=${record.seq} style=${{ insetInlineStart: `${placeOf(parse(record.time) ?? 0, begin, end) * 100}%` }}></i>`)}
      <span class="thumb" role="slider" tabindex="0" aria-label="Time" aria-valuemin=${begin} aria-valuemax=${end} aria-valuenow=${Math.round(shownAt)} aria-valuetext=${long} style=${{ insetInlineStart: `${place * 100}%` }} onKeyDown=${keys} data-tip=${exact(new Date(shownAt).toISOString())}></span></div>
    <div class="scale"><span>${day(begin, end)}${short && ` ${clock(begin)}`}, begun</span>${[...new Set(marks)].map((one) => html`<span>${one}</span>`)}<span>now</span></div></section>`;
}

/** In place of the acts of an object. */
export const ReadOnly = () => html`<span class="note past"><${Icon} name="lock" /><span class="past medium">Read only: this is the past</span></span>`;

/** In place of an object that is being read, that could not be read, or that was not there yet. @param {{bar: any, read: import('../data.js').Read, rows?: number}} props */
export function Instead({ bar, read, rows = 5 }) {
  if (!read.error) return html`${bar}<div class="body"><${Skeleton} rows=${rows} /></div>`;
  return html`${bar}<div class="body">${bar && read.error.status === 404 ? html`<p class="t2">It was not there yet.</p>` : html`<${ErrorNote} error=${read.error} again=${read.reload} />`}</div>`;
}

/** As the field shows a time: "2026-11-27 17:58:02". @param {number} at */
const text = (at) => new Date(at).toISOString().slice(0, 19).replace('T', ' ');
