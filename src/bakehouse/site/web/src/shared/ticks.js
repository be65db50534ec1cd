/** Where to put ticks, and what to write at them. */

import { dateFromDays, daysFromDate, formatDate } from "../explore/times.js";

/** Round numbers from low to high, about as many as wanted. @returns {number[]} */
export function niceTicks(low, high, wanted = 5) {
  if (!(high > low)) return [low];
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough * 0.999) ?? rough;
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

const MONTHS = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12000];

/**
 * Ticks at the starts of years, months, days or hours of a calendar.
 * @param {number} low days from 0001-01-01 @param {number} high @param {string} calendar
 * @returns {{at: number, label: string}[]}
 */
export function timeTicks(low, high, calendar, wanted = 6) {
  const span = high - low;
  if (span < 1e-6) return [{ at: low, label: formatDate(dateFromDays(calendar, low)) }];
  const months = span / 30.4 / wanted;
  if (span < 45) return dayTicks(low, high, calendar, wanted);
  const step = MONTHS.find((each) => each >= months * 0.9) ?? MONTHS.at(-1);
  const start = dateFromDays(calendar, low);
  const ticks = [];
  for (let count = Math.ceil(((start.year - 1) * 12 + start.month - 1) / step) * step; ; count += step) {
    const [year, month] = [Math.floor(count / 12) + 1, (count % 12) + 1];
    const at = daysFromDate(calendar, year, month, 1);
    if (at > high) return ticks;
    if (at >= low) ticks.push({ at, label: step % 12 === 0 ? String(year) : formatDate({ year, month, day: 1, second: 0 }, "month") });
  }
}

function dayTicks(low, high, calendar, wanted) {
  const step = [1 / 24, 0.125, 0.25, 0.5, 1, 2, 5, 10, 15].find((each) => each >= ((high - low) / wanted) * 0.9) ?? 15;
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.max(0, Math.floor(high / step + 1e-9) - first + 1);
  return Array.from({ length: count }, (_, i) => {
    const at = (first + i) * step;
    return { at, label: formatDate(dateFromDays(calendar, at), step < 1 ? "minute" : "day") };
  });
}
