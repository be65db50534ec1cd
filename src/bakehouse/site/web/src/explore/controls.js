/** The choices beside the map: one for each dimension that the map does not show. */

import { element } from "../shared/dom.js";

const LISTED = 400;

/** @typedef {import("./dataset.js").Axis} Axis */

/**
 * A choice along a dimension: a list where it is short enough, else a number.
 * @param {Axis} axis @param {number} index @param {(index: number) => void} onChange
 */
export function axisControl(axis, index, onChange) {
  const id = `axis-${axis.name.replace(/\W/g, "-")}`;
  const label = element("label", { for: id }, title(axis.name));
  if (axis.size > LISTED) {
    const input = element("input", { id, type: "number", min: 1, max: axis.size, value: index + 1, change: () => onChange(Math.max(1, Math.min(axis.size, Number(input.value) || 1)) - 1) });
    return element("div", { class: "field" }, label, input);
  }
  const options = Array.from({ length: axis.size }, (_, i) => element("option", { value: i, selected: i === index }, axis.label(i)));
  const select = element("select", { id, change: () => onChange(Number(select.value)) }, ...options);
  return element("div", { class: "field" }, label, select);
}

/** A dimension's name as a label. @param {string} name */
export function title(name) {
  const words = name.includes(" ") ? name : name.replaceAll("_", " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The index along an axis that a label of the address means. @param {Axis} axis @param {string | undefined} label */
export function indexOfLabel(axis, label) {
  if (label === undefined) return -1;
  for (let i = 0; i < axis.size; i++) if (axis.label(i) === label) return i;
  return -1;
}

/** The same moment or level on another axis, which may hold fewer of them. @param {Axis} axis @param {Axis} other @param {number} index */
export function sameOn(axis, other, index) {
  if (axis.days && other.days) {
    return other.days.findIndex((day) => Math.abs(day - axis.days[index]) < 1 / 86400);
  }
  if (axis.values && other.values) return other.values.indexOf(axis.values[index]);
  return axis.size === other.size ? index : -1;
}
