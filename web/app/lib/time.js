/** Pure functions about times: the words of the console for them. All times are UTC. */

export const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** @param {number} value */
const two = (value) => String(value).padStart(2, '0');

/** "14:29". @param {number} at */
export function clock(at) {
  const date = new Date(at);
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
}

/** "14:29:31". @param {number} at */
export const clockSeconds = (at) => `${clock(at)}:${two(new Date(at).getUTCSeconds())}`;

/** "2 Oct", with the year if it is another one: "2 Oct 27". @param {number} at @param {number} now */
export function day(at, now) {
  const date = new Date(at);
  const text = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
  const year = date.getUTCFullYear();
  return year === new Date(now).getUTCFullYear() ? text : `${text} ${two(year % 100)}`;
}

/** The name of the weekday: "Fri". @param {number} at */
export const weekday = (at) => DAYS[new Date(at).getUTCDay()];

/** In a feed: "14:29" today, "Fri 18:42" within a week, else "2 Oct". @param {number} at @param {number} now */
export function feedTime(at, now) {
  if (new Date(at).toISOString().slice(0, 10) === new Date(now).toISOString().slice(0, 10)) return clock(at);
  if (Math.abs(now - at) < 6 * DAY) return `${weekday(at)} ${clock(at)}`;
  return day(at, now);
}

/** A span in its largest unit: "41 d", "4 mo", "2.5 y", "3 h", "12 min". @param {number} span */
export function span(span) {
  const days = span / DAY;
  if (days >= 730) return `${(days / 365.25).toFixed(1)} y`;
  if (days >= 92) return `${Math.floor(days / 30.44)} mo`;
  if (days >= 1) return `${Math.floor(days)} d`;
  if (span >= HOUR) return `${Math.floor(span / HOUR)} h`;
  if (span >= MINUTE) return `${Math.floor(span / MINUTE)} min`;
  return `${Math.max(0, Math.floor(span / SECOND))} s`;
}

/** "4 min ago", "2 Oct, 57 d ago", "in 35 d". @param {number} at @param {number} now */
export function relative(at, now) {
  const past = now - at;
  if (Math.abs(past) < 10 * SECOND) return 'just now';
  if (past < 0) return -past < DAY ? `in ${span(-past)}` : `${day(at, now)}, in ${span(-past)}`;
  return past < DAY ? `${span(past)} ago` : `${day(at, now)}, ${span(past)} ago`;
}

/** The exact time with everything that the API gave, for the tooltip: "28 Nov 2026, 12:07:41.204816123 UTC". @param {string} text */
export function exact(text) {
  const parts = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d+)?)/.exec(text);
  if (!parts) return text;
  return `${Number(parts[3])} ${MONTHS[Number(parts[2]) - 1]} ${parts[1]}, ${parts[4]} UTC`;
}

/** The time of a text of the API, or null. @param {unknown} text @returns {number | null} */
export function parse(text) {
  if (typeof text !== 'string' || text === '') return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : at;
}
