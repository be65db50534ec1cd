/** A search as the page's address says it. */

import { FACETS } from "./catalog.js";

/** @typedef {import("./catalog.js").Query} Query */

const DATE = /^\d{4}(-\d{2}(-\d{2})?)?$/;

/** @param {string} text @returns {Query} */
export function parseQuery(text) {
  const params = new URLSearchParams(text);
  const facets = Object.fromEntries(Object.keys(FACETS).map((facet) => [facet, params.getAll(facet)]));
  const date = (name) => (DATE.test(params.get(name) ?? "") ? params.get(name) : "");
  return { q: params.get("q") ?? "", facets, bbox: parseBox(params.get("bbox") ?? ""), from: date("from"), to: date("to") };
}

/** @param {string} text "west,south,east,north" @returns {number[] | null} */
export function parseBox(text) {
  const parts = text.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  const valid = parts.length === 4 && parts.every(Number.isFinite) && parts[1] < parts[3] && Math.abs(parts[0]) <= 180 && Math.abs(parts[2]) <= 180;
  return valid ? parts : null;
}

/** @param {Query} query @returns {string} with its question mark, or nothing */
export function formatQuery({ q, facets, bbox, from, to }) {
  const params = new URLSearchParams();
  if (q) params.set("q", q);
  for (const [facet, values] of Object.entries(facets)) for (const value of values) params.append(facet, value);
  if (bbox) params.set("bbox", bbox.join(","));
  if (from) params.set("from", from);
  if (to) params.set("to", to);
  const text = params.toString().replaceAll("%2C", ",");
  return text ? `?${text}` : "";
}

/** @param {Query} query */
export function isEmpty(query) {
  return formatQuery(query) === "";
}
