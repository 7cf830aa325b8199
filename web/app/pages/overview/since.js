/** Since when the overview tells what changed: `since` of the query. */
import { html } from '../../view.js';
import { query, setQuery } from '../../router.js';
import { DAY, day, parse, weekday } from '../../lib/time.js';
import { now } from '../../components/bits.js';
import { Icon } from '../../components/icon.js';
import { Menu } from '../../components/popup.js';

/** The begin of the day: `since` of the query, else the last Friday. */
export function sinceOf() {
  const given = parse(query.value.since);
  if (given !== null) return new Date(given).toISOString().replace(/\.\d+Z$/, 'Z');
  const date = new Date(now.value);
  const back = (date.getUTCDay() + 2) % 7 || 7;
  return new Date(Math.floor((now.value - back * DAY) / DAY) * DAY).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Chooses since when. */
export function Since() {
  const at = Date.parse(sinceOf());
  const choices = [1, 3, 7, 30].map((days) => ({ label: days === 1 ? 'Since yesterday' : `The last ${days} days`, act: () => setQuery({ since: new Date(Math.floor((Date.now() - days * DAY) / DAY) * DAY).toISOString().slice(0, 10) }) }));
  return html`<${Menu} class="button" label=${html`Since ${weekday(at)}, ${day(at, now.value)}<${Icon} name="chevron-down" size="small" />`} items=${[...choices, { label: 'Since Friday', act: () => setQuery({ since: null }) }]} />`;
}
