/** Pure functions about the chart of a year's runs. */
import { DAY, MONTHS } from './time.js';

const YEAR = 365 * DAY;

/**
 * @typedef {object} YearRow
 * @property {string} id
 * @property {string} name
 * @property {number} keys
 * @property {number} size of its dots, from 0 to 1
 * @property {{at: number, share: number}[]} dots share: the part of the year before the run
 */

/**
 * The runs of the schedules that have keys, in the order of their first runs; the names of those that run too often to be drawn; the
 * number of keys that are rotated in the year.
 * @param {any[]} schedules of `GET /v1/scheduler/coverage` @param {number} now
 * @returns {{months: {label: string, share: number}[], rows: YearRow[], often: string[], keys: number}}
 */
export function yearOf(schedules, now) {
  const share = (/** @type {number} */ at) => Math.min(1, Math.max(0, (at - now) / YEAR));
  const used = schedules.filter((one) => one.active && one.keys > 0);
  const most = Math.max(1, ...used.map((one) => one.keys));
  const rows = used.filter((one) => one.runs_complete && one.runs.length > 0).map((one) => ({
    id: one.job_config_id, name: one.name, keys: one.keys, size: Math.sqrt(one.keys / most), dots: one.runs.map((/** @type {string} */ run) => ({ at: Date.parse(run), share: share(Date.parse(run)) })),
  }));
  rows.sort((a, b) => a.dots[0].at - b.dots[0].at);
  const date = new Date(now);
  const months = Array.from({ length: 12 }, (_, i) => Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1 + i)).map((at) => ({ label: MONTHS[new Date(at).getUTCMonth()], share: share(at) }));
  const often = used.filter((one) => !one.runs_complete).map((one) => one.name);
  const rotated = used.filter((one) => one.runs.length > 0);
  return { months, rows, often, keys: rotated.reduce((sum, one) => sum + one.keys, 0) };
}
