import assert from "node:assert/strict";
import { test } from "node:test";
import { dateFromDays, daysFromDate, formatDate, timeAxis } from "../src/explore/times.js";
import { timeTicks } from "../src/shared/ticks.js";

const CALENDARS = ["standard", "proleptic_gregorian", "julian", "noleap", "all_leap", "360_day"];

/** What cftime.num2date gives. */
const CASES = [
  ["days since 1970-01-01", "standard", 18321, "2020-02-29"],
  ["days since 0001-01-01", "standard", 577737, "1582-10-15"],
  ["days since 0001-01-01", "standard", 577736, "1582-10-04"],
  ["days since 0001-01-01", "proleptic_gregorian", 577735, "1582-10-15"],
  ["hours since 1970-01-01", "360_day", 24 * 59, "1970-02-30"],
  ["days since 2000-02-28", "noleap", 1, "2000-03-01"],
  ["days since 1999-02-28", "all_leap", 1, "1999-02-29"],
  ["days since 1900-02-28", "julian", 1, "1900-02-29"],
  ["seconds since 1900-01-01", "360_day", 115 * 360 * 86400, "2015-01-01"],
];

test("numbers become the dates of their calendar", () => {
  for (const [units, calendar, value, date] of CASES) assert.equal(timeAxis([value], { units, calendar }).labels(0), date, `${calendar} ${date}`);
});

test("each day has one date, and each date its day, in every calendar", () => {
  for (const calendar of CALENDARS) {
    for (let day = daysFromDate(calendar, 1581, 12, 1); day < daysFromDate(calendar, 1585, 3, 1); day++) {
      const { year, month, day: date } = dateFromDays(calendar, day);
      assert.equal(daysFromDate(calendar, year, month, date), day, `${calendar} ${day}`);
    }
  }
});

test("clock and zone are read, and shown only where they tell moments apart", () => {
  assert.equal(timeAxis([0, 6], { units: "hours since 2000-01-01 06:00:00" }).labels(1), "2000-01-01 12:00");
  assert.equal(timeAxis([0, 1], { units: "days since 2000-01-01T12:00:00Z" }).labels(1), "2000-01-02");
  assert.equal(timeAxis([0, 1], { units: "hours since 2000-01-01 00:00 +02:00" }).labels(0), "1999-12-31 22:00");
  assert.equal(timeAxis([1n], { units: "months since 2000-01-01", calendar: "standard" }), null);
});

test("ticks lie on starts of months and years", () => {
  const days = [daysFromDate("360_day", 2000, 1, 16), daysFromDate("360_day", 2003, 1, 16)];
  for (const { at, label } of timeTicks(...days, "360_day", 6)) assert.equal(formatDate(dateFromDays("360_day", at), "month"), label);
});
