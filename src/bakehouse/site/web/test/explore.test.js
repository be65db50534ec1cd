import assert from "node:assert/strict";
import { test } from "node:test";
import { colours, fitLimits } from "../src/explore/colours.js";
import { costOf } from "../src/explore/cost.js";
import { decode, fillNumber, packingOf } from "../src/explore/decode.js";
import { boxOf, curvilinear, edges, rectilinear, unrotate } from "../src/explore/grid.js";
import { paint, rasterise } from "../src/explore/raster.js";
import { formatState, parseState } from "../src/explore/state.js";

const close = (a, b, within = 1e-9) => assert.ok(Math.abs(a - b) <= within, `${a} is not ${b}`);

test("packed integers are scaled, and fill is missing", () => {
  const packing = packingOf({ scale_factor: 0.5, add_offset: 10, _FillValue: -9, missing_value: -8 }, { zarrFormat: 3, dtype: "int16" });
  assert.deepEqual([...decode(Int16Array.of(0, 4, -9, -8), packing, "int16")], [10, 12, NaN, NaN]);
});

test("a v2 array's fill value is missing, a v3 array's is a value", () => {
  for (const [zarrFormat, wanted] of [[2, NaN], [3, 7]]) {
    const packing = packingOf({}, { zarrFormat, fillValue: 7, dtype: "float32" });
    assert.deepEqual([...decode(Float32Array.of(7), packing, "float32")], [wanted]);
  }
});

test("fill is compared in the array's own precision, and read from base64", () => {
  assert.equal(fillNumber("AAAAgB2vFUQ="), Number(Math.fround(1e20)));
  const packing = packingOf({ _FillValue: 1e20 }, { zarrFormat: 3, dtype: "float32" });
  assert.ok(Number.isNaN(decode(Float32Array.of(1e20), packing, "float32")[0]));
});

test("_Unsigned turns signed bytes", () => {
  const packing = packingOf({ _Unsigned: "true", _FillValue: -1 }, { zarrFormat: 3, dtype: "int8" });
  assert.deepEqual([...decode(Int8Array.of(-2, -1), packing, "int8")], [254, NaN]);
});

test("a rotated pole is turned as PROJ's ob_tran turns it", () => {
  const cases = [
    [0, [-20, -20], [-3.3184041706036647, 27.866171811519784]],
    [0, [25, -3], [52.53933275704809, 41.89464600364731]],
    [30, [10, 15], [-23.46565958466451, 60.071854436893226]],
    [30, [25, -3], [10.598034880318112, 47.49983304242376]],
  ];
  for (const [north_pole_grid_longitude, [rlon, rlat], [lon, lat]] of cases) {
    const pole = { grid_north_pole_latitude: 39.25, grid_north_pole_longitude: -162, north_pole_grid_longitude };
    const got = unrotate([rlon], [rlat], pole);
    close(got.lon[0], lon);
    close(got.lat[0], lat);
  }
});

test("edges lie half-way, and poles end the globe", () => {
  assert.deepEqual([...edges([0, 1, 3])], [-0.5, 0.5, 2, 4]);
  assert.deepEqual([...rectilinear([0, 1], [-90, 0, 90]).yEdges], [-90, -45, 45, 90]);
});

test("every pixel of a global grid lies in the cell that holds its place", () => {
  const grid = rectilinear([5, 95, 185, 275], [60, 0, -60]);
  const raster = rasterise(grid, { west: -180, east: 180, south: -90, north: 90 }, 36, 18);
  const cell = (lon, lat) => raster[Math.floor((90 - lat) / 10) * 36 + Math.floor((lon + 180) / 10)];
  assert.deepEqual([cell(1, 61), cell(-170, 1), cell(-85, -61), cell(95, 29)], [0, 6, 11, 5]);
  assert.ok(raster.every((each) => each >= 0));
});

test("a curvilinear copy of a regular grid covers the same pixels, across the antimeridian too", () => {
  const [lon, lat] = [[176, 178, 180, 182], [10, 12, 14]];
  const lons = lat.flatMap(() => lon.map((x) => (x > 180 ? x - 360 : x)));
  const lats = lat.flatMap((y) => lon.map(() => y));
  const view = { west: 172, east: 187, south: 8, north: 16 };
  const plain = rasterise(rectilinear(lon, lat), view, 151, 83);
  assert.deepEqual([...rasterise(curvilinear(lons, lats, 3, 4), view, 151, 83)], [...plain]);
  const { west, east } = boxOf(curvilinear(lons, lats, 3, 4));
  assert.ok(east - west < 12);
});

test("colours fall in 256 equal bins, as matplotlib's", () => {
  const lut = Uint32Array.from({ length: 256 }, (_, i) => i + 1);
  const pixels = new Uint32Array(5);
  paint(Int32Array.of(0, 1, 2, 3, -1), [0, 0.5, 1, NaN], [0, 1], lut, pixels);
  assert.deepEqual([...pixels], [1, 129, 256, 0, 0]);
  assert.deepEqual([...new Uint8Array(colours("viridis").buffer).slice(0, 4)], [68, 1, 84, 255]);
});

test("limits are percentiles, and never empty", () => {
  assert.deepEqual(fitLimits(Array.from({ length: 101 }, (_, i) => i)), [2, 98]);
  assert.deepEqual(fitLimits([3, 3, NaN]), [2.5, 3.5]);
  assert.equal(fitLimits([NaN]), null);
});

test("a series costs every chunk that it crosses", () => {
  const array = { shape: [100, 400, 400], chunks: [10, 200, 200], dtype: "float32" };
  assert.deepEqual(costOf(array, [null, 5, 5]), { requests: 10, bytes: 16e6 });
  assert.deepEqual(costOf(array, [0, null, { start: 0, stop: 201 }]), { requests: 4, bytes: 6.4e6 });
});

test("the address gives back what it was made from", () => {
  const state = { variable: "tos", picks: { time: "2001-01-16 12:00", limits: "odd" }, limits: [0, 2.5], cmap: "plasma", point: { lat: -15, lon: 179 }, view: { west: 170, south: -20, east: 190, north: 0 } };
  assert.deepEqual(parseState(formatState(state)), state);
  assert.equal(formatState(parseState("")), "");
});
