import assert from "node:assert/strict";
import { test } from "node:test";
import { curvilinear, rectilinear, scattered } from "../src/explore/grid.js";
import { flattened, Polar, polarFor, unstereographic } from "../src/explore/projection.js";
import { rasterise } from "../src/explore/raster.js";
import { nearestCell } from "../src/explore/nearest.js";

const GLOBE = { west: -180, east: 180, south: -90, north: 90 };

test("polar stereographic coordinates are turned back as PROJ's stere turns them", () => {
  const nsidc = { standard_parallel: 70, straight_vertical_longitude_from_pole: -45, semi_major_axis: 6378273, semi_minor_axis: 6356889.449, latitude_of_projection_origin: 90 };
  const south = { standard_parallel: -71, straight_vertical_longitude_from_pole: 0, semi_major_axis: 6378137, inverse_flattening: 298.257223563, latitude_of_projection_origin: -90 };
  const scaled = { scale_factor_at_projection_origin: 0.994, straight_vertical_longitude_from_pole: 10, false_easting: 2e6, false_northing: 2e6, latitude_of_projection_origin: 90 };
  const sphere = { standard_parallel: 60, straight_vertical_longitude_from_pole: 25, earth_radius: 6371229 };
  const cases = [
    [nsidc, [-3837500, 5837500], [168.32042246413275, 31.102671752430883]],
    [nsidc, [1e6, -2.5e6], [-23.19859051364819, 65.50929960755487]],
    [nsidc, [0, 12500], [135, 89.88461144932388]],
    [south, [2.6e6, 1.5e6], [60.01836063115067, -62.871646517815385]],
    [south, [-1e6, -3.1e6], [-162.12130340415865, -60.653843960452505]],
    [scaled, [1e6, 3e6], [-125, 77.31207919075224]],
    [scaled, [2.1e6, 2.2e6], [163.434948822922, 87.98615543601144]],
    [sphere, [-1.5e6, -2e6], [-11.869897645844022, 66.2496454074221]],
  ];
  for (const [mapping, [x, y], [lon, lat]] of cases) {
    const got = unstereographic([x], [y], mapping);
    assert.ok(Math.abs(got.lon[0] - lon) < 1e-6 && Math.abs(got.lat[0] - lat) < 1e-6, `${got.lon[0]}, ${got.lat[0]} is not ${lon}, ${lat}`);
  }
});

/** Squares of a plane that touches a pole, and where their centres lie. */
function cap(pole, size, step) {
  const polar = new Polar(pole);
  const at = Array.from({ length: size }, (_, i) => (i - (size - 1) / 2) * step);
  const places = at.flatMap((y) => at.map((x) => polar.inverse(x, y)));
  return { polar, at, grid: curvilinear(places.map(({ lon }) => lon), places.map(({ lat }) => lat), size, size) };
}

test("every place around a pole lies in the cell whose square holds it, the pole's own cell included", () => {
  for (const pole of [1, -1]) {
    const { polar, at, grid } = cap(pole, 21, 1);
    const [width, height] = [720, 720];
    const view = pole > 0 ? { ...GLOBE, south: 81 } : { ...GLOBE, north: -81 };
    const raster = rasterise(grid, view, width, height);
    let wrong = 0;
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const lat = view.north - ((row + 0.5) / height) * (view.north - view.south);
        const [x, y] = polar.forward(-180 + ((column + 0.5) / width) * 360, lat);
        const [i, j] = [x, y].map((each) => Math.round(each - at[0]));
        // Edges are straight between longitudes and latitudes, which next to a pole is a bow.
        const bow = Math.hypot(x, y) < 2.5 ? 0.25 : 0.1;
        const edge = [x, y].some((each) => Math.abs(((((each - at[0]) % 1) + 1) % 1) - 0.5) < bow);
        if (!edge && raster[row * width + column] !== j * 21 + i) wrong += 1;
      }
    }
    assert.equal(wrong, 0);
  }
});

test("neighbours share their corners, so that nothing shows between them", () => {
  const { polar, grid } = cap(1, 31, 2);
  const flat = flattened(grid, polar);
  const at = (cell, corner) => [flat.cornerLon, flat.cornerLat].map((each) => each[4 * cell + corner]);
  for (let cell = 0; cell < 31 * 30; cell++) {
    if (cell % 31 === 30) continue;
    for (const [mine, other, its] of [[2, cell + 1, 3], [1, cell + 1, 0], [2, cell + 31, 1], [3, cell + 31, 0]]) {
      const [[x0, y0], [x1, y1]] = [at(cell, mine), at(other, its)];
      assert.ok(Math.hypot(x1 - x0, y1 - y0) < 1e-3, `cells ${cell} and ${other}`);
    }
  }
});

test("cells all around a pole are seen from above it, each where it is", () => {
  for (const pole of [1, -1]) {
    const { grid } = cap(pole, 21, 2);
    const polar = polarFor(grid);
    assert.equal(polar.pole, pole);
    const flat = rasterise(flattened(grid, polar), { west: -21, east: 21, south: -21, north: 21 }, 42, 42);
    const wanted = Array.from({ length: 42 }, (_, row) => Array.from({ length: 42 }, (_, column) => (20 - (row >> 1)) * 21 + (column >> 1))).flat();
    assert.ok(wanted.filter((cell, i) => flat[i] !== cell).length < 42 * 42 * 0.02);
    assert.equal(nearestCell(grid, { lat: pole * 90, lon: 77 }), 10 * 21 + 10);
  }
  assert.equal(polarFor(rectilinear([0, 120, 240], [70, 80, 89])), null);
  assert.equal(polarFor(cap(1, 21, 8).grid), null);
});

test("bounds say where cells end: of grids, of rows and columns, of cells that lie anywhere", () => {
  const view = { west: 0, east: 10, south: 0, north: 10 };
  const square = (x, y) => [[x, y], [x + 4, y], [x + 4, y + 4], [x, y + 4]];
  const four = [square(1, 1), square(5, 1), square(1, 5), square(5, 5)];
  const bounds = { lon: four.flat().map(([x]) => x), lat: four.flat().map(([, y]) => y), per: 4 };
  const [lon, lat] = [[2, 7, 2, 7], [2, 2, 7, 7]];
  const cell = (x, y) => (x < 1 || x > 9 || y < 1 || y > 9 ? -1 : (y < 5 ? 0 : 2) + (x < 5 ? 0 : 1));
  const wanted = Array.from({ length: 100 }, (_, i) => cell((i % 10) + 0.5, 9.5 - Math.floor(i / 10)));
  assert.deepEqual([...rasterise(curvilinear(lon, lat, 2, 2, bounds), view, 10, 10)], wanted);
  assert.deepEqual([...rasterise(scattered(lon, lat, bounds), view, 10, 10)], wanted);
  assert.deepEqual([...rasterise(rectilinear([2, 7], [2, 7], { lon: [1, 5, 5, 9], lat: [1, 5, 5, 9] }), view, 10, 10)], wanted);
  const falls = rectilinear([2, 7], [7, 2], { lon: [1, 5, 5, 9], lat: [9, 5, 5, 1] });
  assert.deepEqual([[...falls.xEdges], [...falls.yEdges]], [[1, 5, 9], [9, 5, 1]]);
  const gaps = rectilinear([2, 7], [2, 7], { lon: [1, 3, 6, 9], lat: null });
  assert.deepEqual([...gaps.xEdges], [-0.5, 4.5, 9.5]);
});
