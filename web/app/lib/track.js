/** Pure functions: the track of the time bar, on which the last week takes a quarter. */
import { DAY } from './time.js';

const WEEK = 7 * DAY;

/** The place of a time on the track, 0 to 1. @param {number} at @param {number} begin @param {number} end */
export function placeOf(at, begin, end) {
  const within = Math.max(begin, Math.min(at, end));
  if (end - begin <= WEEK * 1.5) return (within - begin) / Math.max(1, end - begin);
  const turn = end - WEEK;
  return within < turn ? (0.75 * (within - begin)) / (turn - begin) : 0.75 + (0.25 * (within - turn)) / WEEK;
}

/** The time at a place of the track. @param {number} place @param {number} begin @param {number} end */
export function timeAt(place, begin, end) {
  if (end - begin <= WEEK * 1.5) return begin + place * (end - begin);
  const turn = end - WEEK;
  return place < 0.75 ? begin + (place / 0.75) * (turn - begin) : turn + ((place - 0.75) / 0.25) * WEEK;
}
