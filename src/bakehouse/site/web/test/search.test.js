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
