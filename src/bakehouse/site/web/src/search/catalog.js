/** The entries, an index over their words, and which of them a query means. */

import MiniSearch from "minisearch";

/** @typedef {{id: string, title: string, description: string, url: string, thumbnail: string | null, kind: string, status: string, tags: string[], variables: string[], long_names: string[], standard_names: string[], units: string[], domain: string[], resolution: string | null, license: string, format: string, updated: string | null, bbox: number[] | null, period: string[] | null, size_bytes: number | null}} Entry */
/** @typedef {{q: string, facets: Record<string, string[]>, bbox: number[] | null, from: string, to: string}} Query */

/** How many entries are indexed at once; between them the page can answer. */
const PORTION = 50;
const FIELDS = ["title", "tags", "variables", "long_names", "standard_names", "description", "units", "id"];
const BOOST = { title: 6, variables: 4, long_names: 3, standard_names: 3, tags: 3, units: 0.5, id: 2 };
const YEAR_MS = 365.25 * 24 * 3600 * 1000;

/** What each facet reads from an entry. @type {Record<string, (entry: Entry, now: number) => string[]>} */
export const FACETS = {
  kind: (entry) => [entry.kind],
  domain: (entry) => entry.domain ?? [],
  resolution: (entry) => (entry.resolution ? [entry.resolution] : []),
  license: (entry) => (entry.license ? [entry.license] : []),
  format: (entry) => (entry.format ? [entry.format] : []),
  freshness: (entry, now) => [freshness(entry.updated, now)],
};

/** The values of facets that have an order of their own. */
export const ORDERED = {
  kind: ["baked", "linked", "virtual"],
  resolution: ["<0.1°", "0.1–0.5°", "0.5–1°", ">1°"],
  freshness: ["this week", "this month", "this year", "older", "unknown"],
};

export function freshness(updated, now) {
  const age = now - Date.parse(updated ?? "");
  if (Number.isNaN(age)) return "unknown";
  return age < YEAR_MS / 52 ? "this week" : age < YEAR_MS / 12 ? "this month" : age < YEAR_MS ? "this year" : "older";
}

/** Words of a text, underscores and camel case apart, without accents. @param {string} text @returns {string[]} */
export function words(text) {
  const plain = text.normalize("NFKD").replace(/\p{Mn}/gu, "");
  return plain.replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2").toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean);
}

export class Catalog {
  /** @param {Entry[]} entries @param {number} [now] */
  constructor(entries, now = Date.now()) {
    this.entries = entries;
    this.index = new MiniSearch({
      idField: "row",
      fields: FIELDS,
      tokenize: words,
      processTerm: (term) => term,
      extractField: (row, field) => (field === "row" ? row.row : [row.entry[field]].flat().filter(Boolean).join(" ")),
      searchOptions: { boost: BOOST, prefix: true, fuzzy: (term) => (term.length > 4 ? 0.2 : false), combineWith: "AND" },
    });
    this.indexed = 0;
    this.facets = Object.entries(FACETS).map(([facet, read]) => [facet, entries.map((entry) => read(entry, now))]);
    this.values = Object.fromEntries(this.facets);
  }

  /** Index some more entries. @returns {boolean} whether any are left */
  indexMore() {
    const until = Math.min(this.entries.length, this.indexed + PORTION);
    for (; this.indexed < until; this.indexed++) this.index.add({ row: this.indexed, entry: this.entries[this.indexed] });
    return this.indexed < this.entries.length;
  }

  /** Rows that hold the words, best first; of what is not indexed yet, those that hold the text. @returns {number[]} */
  #matching(q) {
    if (!words(q).length) return this.entries.map((_, row) => row);
    const found = this.index.search(q).map(({ id }) => id);
    const wanted = words(q);
    for (let row = this.indexed; row < this.entries.length; row++) {
      const { title, variables, tags } = this.entries[row];
      const text = words([title, ...variables, ...tags].join(" "));
      if (wanted.every((word) => text.some((each) => each.startsWith(word)))) found.push(row);
    }
    return found;
  }

  /**
   * @param {Query} query
   * @returns {{rows: number[], counts: Record<string, Map<string, number>>}} a facet's counts are of what its other choices would give
   */
  find(query) {
    const chosen = Object.entries(query.facets).filter(([, values]) => values.length);
    const inPlace = this.#matching(query.q).filter((row) => overlaps(this.entries[row], query));
    const counts = Object.fromEntries(Object.keys(FACETS).map((facet) => [facet, new Map()]));
    const rows = [];
    for (const row of inPlace) {
      const missed = chosen.filter(([facet, wanted]) => !this.values[facet][row].some((value) => wanted.includes(value)));
      if (!missed.length) rows.push(row);
      if (missed.length > 1) continue;
      for (const [facet, values] of this.facets) {
        if (missed.length && missed[0][0] !== facet) continue;
        for (const value of values[row]) counts[facet].set(value, (counts[facet].get(value) ?? 0) + 1);
      }
    }
    return { rows, counts };
  }
}

/** @param {Entry} entry @param {Query} query */
function overlaps(entry, { bbox, from, to }) {
  if (bbox && !(entry.bbox && boxesMeet(entry.bbox, bbox))) return false;
  if (!from && !to) return true;
  if (!entry.period) return false;
  const [start, end] = entry.period.map((each) => (each ?? "").slice(0, 10));
  return (!to || start.slice(0, to.length) <= to) && (!from || end.slice(0, from.length) >= from);
}

/** Whether boxes of west, south, east, north meet; west may be greater than east. */
export function boxesMeet([w1, s1, e1, n1], [w2, s2, e2, n2]) {
  if (s1 > n2 || s2 > n1) return false;
  const parts = (w, e) => (w <= e ? [[w, e]] : [[w, 180], [-180, e]]);
  return parts(w1, e1).some(([a, b]) => parts(w2, e2).some(([c, d]) => a <= d && c <= b));
}
