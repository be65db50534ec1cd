import assert from "node:assert/strict";
import { test } from "node:test";
import { boxesMeet, Catalog, words } from "../src/search/catalog.js";
import { formatQuery, parseQuery } from "../src/search/query.js";

const entry = (number, more = {}) => ({
  id: `set-${number}/daily`, title: `Dataset ${number}`, description: "Daily means", url: "", thumbnail: null, kind: number % 2 ? "baked" : "linked",
  status: "live", tags: [], variables: ["sst"], long_names: [], standard_names: ["sea_surface_temperature"], units: ["K"], domain: ["ocean"],
  resolution: null, license: "CC0-1.0", format: "zarr v3", updated: null, bbox: null, period: null, size_bytes: null, ...more,
});

test("words come apart at underscores and capitals, accents aside", () => {
  assert.deepEqual(words("sea_surfaceTemperature Été"), ["sea", "surface", "temperature", "ete"]);
});

test("what is not indexed yet is found by its title", () => {
  const catalog = new Catalog(Array.from({ length: 500 }, (_, i) => entry(i)));
  const query = parseQuery("?q=dataset 499");
  assert.deepEqual(catalog.find(query).rows, [499]);
  while (catalog.indexMore());
  assert.equal(catalog.find(query).rows[0], 499);
});

test("entries that hold every word, or a beginning of it, are found while they are indexed and after", () => {
  const some = ["sst", "ice", "wind", "air", "wave", "snow", "soil"];
  const pick = (number) => some.filter((_, bit) => (number >> bit) & 1);
  const entries = Array.from({ length: 128 }, (_, i) => entry(i, { title: pick(i).join(" "), variables: [], standard_names: [] }));
  const catalog = new Catalog(entries);
  const asked = ["sst", "sst wind", "wi sn", "ic ice", "air wave snow soil", "so sst", "w a"];
  for (let more = true; ; ) {
    for (const q of asked) {
      const wanted = entries.map((_, i) => i).filter((i) => q.split(" ").every((word) => pick(i).some((each) => each.startsWith(word))));
      const found = catalog.find(parseQuery(`q=${q}`)).rows;
      assert.deepEqual(found.toSorted((a, b) => a - b), wanted, q);
    }
    if (!more) break;
    more = catalog.indexMore();
  }
});

test("a word of a title counts more than one of a description", () => {
  const catalog = new Catalog([entry(0, { description: "waves and wind" }), entry(1, { title: "Wind" }), entry(3, { tags: ["wind"] })]);
  while (catalog.indexMore());
  assert.deepEqual(catalog.find(parseQuery("q=wind")).rows, [1, 2, 0]);
});

test("a facet counts what its other choices would give", () => {
  const catalog = new Catalog([entry(0), entry(1), entry(3, { license: "other" })]);
  const { rows, counts } = catalog.find(parseQuery("?kind=baked"));
  assert.deepEqual(rows, [1, 2]);
  assert.deepEqual([counts.kind.get("linked"), counts.license.get("CC0-1.0")], [1, 1]);
});

test("boxes meet across the antimeridian", () => {
  assert.ok(boxesMeet([170, -10, -170, 10], [175, 0, 179, 5]));
  assert.ok(!boxesMeet([170, -10, -170, 10], [0, 0, 20, 5]));
});

test("periods of years and of days overlap", () => {
  const catalog = new Catalog([entry(0, { period: ["1981-09-01T00:00:00Z", "1990-05-02T00:00:00Z"] })]);
  for (const [query, found] of [["?from=1990", 1], ["?from=1990-06", 0], ["?to=1981", 1], ["?to=1981-08-31", 0]]) assert.equal(catalog.find(parseQuery(query)).rows.length, found, query);
});

test("the address gives back what it was made from", () => {
  const text = "?q=sea+ice&kind=baked&kind=linked&bbox=170,-10,-170,10&from=1990&to=2000-05";
  assert.equal(formatQuery(parseQuery(text)), text);
});
