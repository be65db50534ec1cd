/** The entries, an index over their words, and which of them a query means. */

import MiniSearch from "minisearch";

/** @typedef {{id: string, title: string, description: string, url: string, thumbnail: string | null, kind: string, status: string, tags: string[], variables: string[], long_names: string[], standard_names: string[], units: string[], domain: string[], resolution: string | null, license: string, format: string, updated: string | null, bbox: number[] | null, period: string[] | null, size_bytes: number | null}} Entry */
/** @typedef {{q: string, facets: Record<string, string[]>, bbox: number[] | null, from: string, to: string}} Query */

/** How many entries are indexed at once; between them the page can answer. */
const PORTION = 50;
const REMEMBERED = 40;
/** What is searched as one, and how much it counts: every field costs time for each entry that has a word. */
const FIELDS = { title: ["title"], names: ["variables", "long_names", "standard_names", "tags"], rest: ["description", "units", "id"] };
const BOOST = { title: 6, names: 3 };
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
      fields: Object.keys(FIELDS),
      tokenize: words,
      processTerm: (term) => term,
      extractField: (row, field) => (field === "row" ? row.row : FIELDS[field].flatMap((name) => row.entry[name] ?? []).join(" ")),
      searchOptions: { boost: BOOST, prefix: true, fuzzy: (term) => (term.length > 4 ? 0.2 : false) },
    });
    this.indexed = 0;
    /** @type {Map<string, Float32Array>} */
    this.known = new Map();
    this.facets = Object.entries(FACETS).map(([name, read]) => numbered(name, entries.map((entry) => read(entry, now))));
  }

  /** Index some more entries. @returns {boolean} whether any are left */
  indexMore() {
    const until = Math.min(this.entries.length, this.indexed + PORTION);
    this.known.clear();
    for (; this.indexed < until; this.indexed++) this.index.add({ row: this.indexed, entry: this.entries[this.indexed] });
    return this.indexed < this.entries.length;
  }

  /** Rows that hold the words, best first; of what is not indexed yet, those that hold the text. @returns {number[]} */
  #matching(q) {
    const wanted = [...new Set(words(q))];
    if (!wanted.length) return this.entries.map((_, row) => row);
    const [first, ...others] = wanted.map((word) => this.#scores(word));
    const scores = others.reduce((sum, each) => sum.map((score, row) => (score && each[row] ? score + each[row] : 0)), first);
    const found = [];
    for (let row = 0; row < this.indexed; row++) if (scores[row]) found.push(row);
    found.sort((one, other) => scores[other] - scores[one] || one - other);
    for (let row = this.indexed; row < this.entries.length; row++) {
      const { title, variables, tags } = this.entries[row];
      const text = words([title, ...variables, ...tags].join(" "));
      if (wanted.every((word) => text.some((each) => each.startsWith(word)))) found.push(row);
    }
    return found;
  }

  /** How well each row fits one word; words that were asked for lately are remembered, as only the last one is being typed. */
  #scores(word) {
    let scores = this.known.get(word);
    if (!scores) {
      scores = new Float32Array(this.entries.length);
      for (const { id, score } of this.index.search(word)) scores[id] = score;
      if (this.known.size >= REMEMBERED) this.known.delete(this.known.keys().next().value);
      this.known.set(word, scores);
    }
    return scores;
  }

  /**
   * @param {Query} query
   * @returns {{rows: number[], counts: Record<string, Map<string, number>>}} a facet's counts are of what its other choices would give
   */
  find(query) {
    const found = this.#matching(query.q);
    const inPlace = query.bbox || query.from || query.to ? found.filter((row) => overlaps(this.entries[row], query)) : found;
    const chosen = this.facets.map(({ name, codes }) => new Set((query.facets[name] ?? []).map((value) => codes.get(value) ?? -1)));
    const counts = this.facets.map(({ codes }) => new Uint32Array(codes.size));
    const rows = [];
    for (const row of inPlace) {
      const missed = this.#missed(row, chosen);
      if (missed === -1) rows.push(row);
      if (missed === -2) continue;
      for (let facet = 0; facet < counts.length; facet++) {
        if (missed >= 0 && missed !== facet) continue;
        for (const code of this.facets[facet].rows[row]) counts[facet][code] += 1;
      }
    }
    return { rows, counts: Object.fromEntries(this.facets.map(({ name, codes }, facet) => [name, named(codes, counts[facet])])) };
  }

  /** The only facet whose choice an entry misses; -1 if it misses none, -2 if several. */
  #missed(row, chosen) {
    let missed = -1;
    for (let facet = 0; facet < chosen.length; facet++) {
      if (!chosen[facet].size || this.facets[facet].rows[row].some((code) => chosen[facet].has(code))) continue;
      if (missed !== -1) return -2;
      missed = facet;
    }
    return missed;
  }
}

/** A facet's values as numbers, which are faster to count. @param {string} name @param {string[][]} values of each entry */
function numbered(name, values) {
  const codes = new Map();
  const rows = values.map((each) => each.map((value) => codes.get(value) ?? (codes.set(value, codes.size), codes.size - 1)));
  return { name, codes, rows };
}

/** How often each value was counted; those that were not are left out. */
function named(codes, counts) {
  return new Map([...codes].filter(([, code]) => counts[code]).map(([value, code]) => [value, counts[code]]));
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
