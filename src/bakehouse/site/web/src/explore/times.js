/**
 * CF time: numbers with `units` "<unit> since <date>" in a calendar, to dates and back.
 *
 * Days are counted from 0001-01-01 of the calendar itself, so no calendar is forced through another one's dates.
 * @see https://cfconventions.org/Data/cf-conventions/cf-conventions-1.11/cf-conventions.html#time-coordinate
 */

/** @typedef {{year: number, month: number, day: number, second: number}} CfDate second counts within the day */
/** @typedef {{origin: number, unit: number, calendar: string}} TimeUnits origin and unit in days */

const DAY = 86400;
const SECONDS = {
  microsecond: 1e-6, millisecond: 1e-3, second: 1, minute: 60, hour: 3600, day: DAY, week: 7 * DAY,
  us: 1e-6, ms: 1e-3, msec: 1e-3, s: 1, sec: 1, min: 60, h: 3600, hr: 3600, d: DAY,
};
const NAMES = {
  gregorian: "standard", standard: "standard", proleptic_gregorian: "proleptic_gregorian", julian: "julian",
  noleap: "noleap", "365_day": "noleap", all_leap: "all_leap", "366_day": "all_leap", "360_day": "360_day",
};
const BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];
/** 1582-10-15, the first day of the Gregorian calendar, counted in the Julian one. */
const SWITCH = daysInJulian(1582, 10, 5);

/** @param {string | undefined} name @returns {string | null} null: a calendar that this page does not know */
export function calendarOf(name) {
  return NAMES[(name ?? "standard").toLowerCase()] ?? null;
}

/** @param {number} year @param {string} calendar @param {number} [month] */
function isLeap(year, calendar) {
  if (calendar === "noleap") return false;
  if (calendar === "all_leap") return true;
  const julian = calendar === "julian" || (calendar === "standard" && year <= 1582);
  return year % 4 === 0 && (julian || year % 100 !== 0 || year % 400 === 0);
}

function dayOfYear(month, day, leap) {
  return BEFORE_MONTH[month - 1] + (leap && month > 2 ? 1 : 0) + day - 1;
}

function daysInJulian(year, month, day) {
  const before = year - 1;
  return before * 365 + Math.floor(before / 4) + dayOfYear(month, day, year % 4 === 0);
}

function daysInGregorian(year, month, day) {
  const before = year - 1;
  const leaps = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400);
  return before * 365 + leaps + dayOfYear(month, day, isLeap(year, "proleptic_gregorian"));
}

/**
 * Days from 0001-01-01 of the calendar to a date in it.
 * @param {string} calendar @param {number} year @param {number} month @param {number} day
 */
export function daysFromDate(calendar, year, month, day) {
  if (calendar === "360_day") return (year - 1) * 360 + (month - 1) * 30 + day - 1;
  if (calendar === "noleap") return (year - 1) * 365 + dayOfYear(month, day, false);
  if (calendar === "all_leap") return (year - 1) * 366 + dayOfYear(month, day, true);
  if (calendar === "julian") return daysInJulian(year, month, day);
  if (calendar === "proleptic_gregorian") return daysInGregorian(year, month, day);
  const early = year < 1582 || (year === 1582 && (month < 10 || (month === 10 && day < 15)));
  // Both calendars name the same days from the switch on: they are two days apart at year 1.
  return early ? daysInJulian(year, month, day) : daysInGregorian(year, month, day) + SWITCH - daysInGregorian(1582, 10, 15);
}

/**
 * The date of a number of days from 0001-01-01 of the calendar.
 * @param {string} calendar @param {number} days whole or not @returns {CfDate}
 */
export function dateFromDays(calendar, days) {
  // Times stored as float64 days are exact to some microseconds only.
  let whole = Math.floor(days + 0.5 / DAY / 1000);
  const second = Math.max(0, Math.round((days - whole) * DAY * 1000) / 1000);
  if (second >= DAY) whole += 1;
  const length = { "360_day": 360, noleap: 365, all_leap: 366 }[calendar] ?? 365.2425;
  let year = Math.floor(whole / length) + 1;
  while (daysFromDate(calendar, year, 1, 1) > whole) year -= 1;
  while (daysFromDate(calendar, year + 1, 1, 1) <= whole) year += 1;
  let month = 12;
  while (month > 1 && daysFromDate(calendar, year, month, 1) > whole) month -= 1;
  let day = whole - daysFromDate(calendar, year, month, 1) + 1;
  if (calendar === "standard" && year === 1582 && month === 10 && day > 4) day += 10;
  return { year, month, day, second: second % DAY };
}

/**
 * Read CF units of time.
 * @param {string | undefined} units e.g. "hours since 1970-01-01 06:00" @param {string} [calendar]
 * @returns {TimeUnits | null} null where the text is no such unit, or counts months or years of unequal length
 */
export function parseTimeUnits(units, calendar) {
  const known = calendarOf(calendar);
  const match = /^\s*(\w+?)s?\s+since\s+([+-]?\d{1,6})-(\d{1,2})(?:-(\d{1,2}))?(?:[T\s]+(.*))?\s*$/i.exec(units ?? "");
  if (!known || !match) return null;
  const word = match[1].toLowerCase();
  const days = known === "360_day" && word === "month" ? 30 : known === "360_day" && word === "year" ? 360 : null;
  const seconds = SECONDS[word] ?? SECONDS[`${word}s`];
  if (days === null && seconds === undefined) return null;
  const date = daysFromDate(known, Number(match[2]), Number(match[3]), Number(match[4] ?? 1));
  return { origin: date + clock(match[5]) / DAY, unit: days ?? seconds / DAY, calendar: known };
}

/** Seconds of "06:00:00.5 +1:00", zones included; 0 of nothing. @param {string | undefined} text */
function clock(text) {
  const match = /^(\d{1,2})(?::(\d{1,2}))?(?::(\d{1,2}(?:\.\d*)?))?\s*(?:Z|UTC|GMT|([+-])(\d{1,2}):?(\d{2})?)?$/i.exec(text?.trim() ?? "");
  if (!match) return 0;
  const zone = match[4] ? (match[4] === "-" ? -1 : 1) * (Number(match[5]) * 3600 + Number(match[6] ?? 0) * 60) : 0;
  return Number(match[1]) * 3600 + Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0) - zone;
}

/**
 * Days from 0001-01-01 of the calendar for each number of a time coordinate.
 * @param {ArrayLike<number | bigint>} values @param {TimeUnits} units @returns {Float64Array}
 */
export function toDays(values, units) {
  return Float64Array.from(values, (value) => units.origin + Number(value) * units.unit);
}

const two = (number) => String(number).padStart(2, "0");

/** ISO text of a date, as far as it says something. @param {CfDate} date @param {"month" | "day" | "minute" | "second"} precision */
export function formatDate(date, precision = "day") {
  const sign = date.year < 0 ? "-" : "";
  const month = `${sign}${String(Math.abs(date.year)).padStart(4, "0")}-${two(date.month)}`;
  if (precision === "month") return month;
  const day = `${month}-${two(date.day)}`;
  if (precision === "day") return day;
  const time = `${two(Math.floor(date.second / 3600))}:${two(Math.floor((date.second % 3600) / 60))}`;
  return `${day} ${time}${precision === "second" ? `:${two(Math.floor(date.second % 60))}` : ""}`;
}

/**
 * How much of the dates has to be shown to tell them apart: not the clock where all are at the same time of day.
 * @param {Float64Array} days
 */
export function precisionOf(days) {
  const seconds = Array.from(days.slice(0, 5000), (day) => Math.round((day - Math.floor(day + 1e-9)) * DAY));
  if (seconds.every((second) => second === seconds[0])) return "day";
  return seconds.every((second) => second % 60 === 0) ? "minute" : "second";
}

/**
 * Label each moment of a time coordinate.
 * @param {ArrayLike<number | bigint>} values @param {{units?: string, calendar?: string}} attrs
 * @returns {{days: Float64Array, calendar: string, labels: (index: number) => string} | null}
 */
export function timeAxis(values, attrs) {
  const units = parseTimeUnits(attrs.units, attrs.calendar);
  if (!units) return null;
  const days = toDays(values, units);
  const precision = precisionOf(days);
  const label = (index) =>
    Number.isFinite(days[index]) ? formatDate(dateFromDays(units.calendar, days[index]), precision) : "no date";
  return { days, calendar: units.calendar, labels: label };
}
