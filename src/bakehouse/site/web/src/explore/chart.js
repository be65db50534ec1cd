/** A series as an SVG chart; gaps stay gaps. */

import { svg } from "../shared/dom.js";
import { formatValue } from "../shared/text.js";
import { niceTicks, timeTicks } from "../shared/ticks.js";

const SIZE = { width: 960, height: 280, left: 62, right: 18, top: 16, bottom: 34 };

/** @typedef {{xs: ArrayLike<number>, values: ArrayLike<number>, label: (index: number) => string, calendar: string | null, units: string, title: string, current: number}} Series */

/** @param {number[]} domain @param {number[]} range */
function scale([d0, d1], [r0, r1]) {
  return (value) => (d1 > d0 ? r0 + ((value - d0) / (d1 - d0)) * (r1 - r0) : (r0 + r1) / 2);
}

function extent(values) {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) continue;
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  return low <= high ? [low, high] : null;
}

/** A path with one part for each run of finite values. */
function pathOf(series, x, y) {
  let text = "";
  let pen = false;
  for (let i = 0; i < series.values.length; i++) {
    const value = series.values[i];
    if (Number.isFinite(value)) text += `${pen ? "L" : "M"}${x(series.xs[i]).toFixed(1)},${y(value).toFixed(1)}`;
    pen = Number.isFinite(value);
  }
  return text;
}

/**
 * @param {Series} series @param {{onHover: (index: number) => void, onPick: (index: number) => void}} listeners
 * @returns {SVGElement | null} null where there is nothing finite to draw
 */
export function chart(series, listeners) {
  const range = extent(series.values);
  const domain = extent(series.xs);
  if (!range || !domain) return null;
  const pad = (range[1] - range[0]) * 0.06 || Math.abs(range[0]) * 0.01 || 1;
  const x = scale(domain, [SIZE.left, SIZE.width - SIZE.right]);
  const y = scale([range[0] - pad, range[1] + pad], [SIZE.height - SIZE.bottom, SIZE.top]);
  const root = svg("svg", { viewBox: `0 0 ${SIZE.width} ${SIZE.height}`, role: "img", "aria-label": summary(series, range), class: "chart" });
  root.append(...yAxis(range, pad, y), ...xAxis(series, domain, x), svg("path", { d: pathOf(series, x, y), class: "chart-line" }));
  if (series.values.length <= 120) root.append(...dots(series, x, y));
  root.append(...marks(series, x, y, root, listeners));
  return root;
}

function summary({ title, values, label, units }, [low, high]) {
  const last = values.length - 1;
  return `${title}: ${values.length} values from ${label(0)} to ${label(last)}, between ${formatValue(low)} and ${formatValue(high)} ${units}`.trim();
}

function yAxis([low, high], pad, y) {
  return niceTicks(low - pad, high + pad, 4).flatMap((tick) => [
    svg("line", { x1: SIZE.left, x2: SIZE.width - SIZE.right, y1: y(tick), y2: y(tick), class: "chart-grid" }),
    svg("text", { x: SIZE.left - 10, y: y(tick) + 4, "text-anchor": "end" }, formatValue(tick)),
  ]);
}

function xAxis(series, [low, high], x) {
  const ticks = series.calendar
    ? timeTicks(low, high, series.calendar, 7)
    : niceTicks(low, high, 7).map((at) => ({ at, label: formatValue(at) }));
  return ticks.flatMap(({ at, label }) => [
    svg("line", { x1: x(at), x2: x(at), y1: SIZE.height - SIZE.bottom, y2: SIZE.height - SIZE.bottom + 5, class: "chart-tick" }),
    svg("text", { x: x(at), y: SIZE.height - 10, "text-anchor": at - low < (high - low) * 0.02 ? "start" : high - at < (high - low) * 0.04 ? "end" : "middle" }, label),
  ]);
}

function dots(series, x, y) {
  return Array.from(series.values, (value, i) => (Number.isFinite(value) ? svg("circle", { cx: x(series.xs[i]), cy: y(value), r: 2.6, class: "chart-dot" }) : null)).filter(Boolean);
}

/** A line at the map's moment, and one at the pointer with what it says. */
function marks(series, x, y, root, { onHover, onPick }) {
  const now = svg("line", { y1: SIZE.top, y2: SIZE.height - SIZE.bottom, class: "chart-now" });
  const rule = svg("line", { y1: SIZE.top, y2: SIZE.height - SIZE.bottom, class: "chart-rule", visibility: "hidden" });
  const ring = svg("circle", { r: 5, class: "chart-ring", visibility: "hidden" });
  const at = series.xs[series.current];
  for (const end of ["x1", "x2"]) now.setAttribute(end, String(x(at)));
  const index = (event) => {
    const { left, width } = root.getBoundingClientRect();
    return nearestTo(series.xs, x, ((event.clientX - left) / width) * SIZE.width);
  };
  const seen = (on) => [rule, ring].forEach((each) => each.setAttribute("visibility", on ? "visible" : "hidden"));
  root.addEventListener("pointermove", (event) => {
    const i = index(event);
    const value = series.values[i];
    for (const end of ["x1", "x2"]) rule.setAttribute(end, String(x(series.xs[i])));
    ring.setAttribute("cx", String(x(series.xs[i])));
    ring.setAttribute("cy", String(Number.isFinite(value) ? y(value) : -20));
    seen(true);
    onHover(i);
  });
  root.addEventListener("pointerleave", () => (seen(false), onHover(-1)));
  root.addEventListener("click", (event) => onPick(index(event)));
  return [now, rule, ring];
}

function nearestTo(xs, x, pixel) {
  let best = 0;
  for (let i = 1; i < xs.length; i++) if (Math.abs(x(xs[i]) - pixel) < Math.abs(x(xs[best]) - pixel)) best = i;
  return best;
}

/** The same numbers for a spreadsheet. @param {Series} series @param {string} name */
export function csv(series, name) {
  const quote = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const rows = Array.from(series.values, (value, i) => `${quote(series.label(i))},${Number.isFinite(value) ? value : ""}`);
  return [`${series.calendar ? "time" : "position"},${quote(series.units ? `${name} (${series.units})` : name)}`, ...rows, ""].join("\n");
}
