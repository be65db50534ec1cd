/** Where cells lie: edges and corners, longitudes without jumps. Degrees throughout. */

import { givenCorners, guessedCorners } from "./corners.js";

/** @typedef {{kind: "rectilinear", x: Float64Array, y: Float64Array, xEdges: Float64Array, yEdges: Float64Array, geographic: boolean}} Rectilinear */
/** @typedef {{kind: "curvilinear", nx: number, ny: number, lon: ArrayLike<number>, lat: ArrayLike<number>, per: number, cornerLon: Float32Array, cornerLat: Float32Array}} Curvilinear corners of cell i are at per × i and the next ones, around the cell, longitudes unwrapped about its centre */
/** @typedef {{kind: "points", lon: ArrayLike<number>, lat: ArrayLike<number>, per?: number, cornerLon?: Float32Array, cornerLat?: Float32Array}} Points */
/** @typedef {Rectilinear | Curvilinear | Points} Grid */
/** @typedef {{west: number, south: number, east: number, north: number}} Box east may exceed 180; never less than west */

/** Bring a longitude to within half a turn of another. @param {number} lon @param {number} about */
export function near(lon, about) {
  return lon - 360 * Math.round((lon - about) / 360);
}

/**
 * Make longitudes continuous: each within half a turn of the one before.
 * @param {ArrayLike<number>} lons
 */
export function unwrap(lons) {
  const result = Float64Array.from(lons);
  for (let i = 1; i < result.length; i++) result[i] = near(result[i], result[i - 1]);
  return result;
}

/**
 * Edges half-way between centres, extended by half a step at both ends.
 * @param {ArrayLike<number>} centres @param {number} [lone] width of the cell where there is only one @returns {Float64Array}
 */
export function edges(centres, lone = 1) {
  const n = centres.length;
  const result = new Float64Array(n + 1);
  if (n === 1) return Float64Array.of(centres[0] - lone / 2, centres[0] + lone / 2);
  for (let i = 1; i < n; i++) result[i] = (centres[i - 1] + centres[i]) / 2;
  result[0] = 2 * centres[0] - result[1];
  result[n] = 2 * centres[n - 1] - result[n - 1];
  return result;
}

/**
 * @param {ArrayLike<number>} lon @param {ArrayLike<number>} lat
 * @param {{lon: ArrayLike<number> | null, lat: ArrayLike<number> | null}} [bounds] two edges of each row and column @returns {Rectilinear}
 */
export function rectilinear(lon, lat, bounds = { lon: null, lat: null }) {
  const x = unwrap(lon);
  const xEdges = givenEdges(x, bounds.lon && Array.from(bounds.lon, (edge, i) => near(edge, x[i >> 1]))) ?? edges(x);
  const yEdges = (givenEdges(lat, bounds.lat) ?? edges(lat)).map((edge) => Math.max(-90, Math.min(90, edge)));
  return { kind: "rectilinear", geographic: true, x, y: Float64Array.from(lat), xEdges, yEdges };
}

/** Edges as bounds give them, where each cell begins at the end of the one before and holds its centre. @returns {Float64Array | null} */
function givenEdges(centres, bounds) {
  const n = centres.length;
  if (!bounds || bounds.length !== 2 * n) return null;
  const rises = n > 1 ? centres[1] > centres[0] : bounds[1] >= bounds[0];
  const side = (i, last) => (rises === last ? Math.max : Math.min)(bounds[2 * i], bounds[2 * i + 1]);
  const result = Float64Array.from({ length: n + 1 }, (_, i) => (i < n ? side(i, false) : side(n - 1, true)));
  const size = Math.abs(result[n] - result[0]) / n;
  for (let i = 0; i < n; i++) {
    const [low, high] = rises ? [result[i], result[i + 1]] : [result[i + 1], result[i]];
    if (!(low < high && centres[i] >= low && centres[i] <= high && Math.abs(side(i, true) - result[i + 1]) < size * 1e-3)) return null;
  }
  return result;
}

/** A plane without geography: cells at their coordinates, or at their indices. @returns {Rectilinear} */
export function plane(x, y) {
  return { kind: "rectilinear", geographic: false, x: Float64Array.from(x), y: Float64Array.from(y), xEdges: edges(x), yEdges: edges(y) };
}

/**
 * A grid whose places lie on two dimensions.
 * @param {ArrayLike<number>} lon @param {ArrayLike<number>} lat @param {number} ny @param {number} nx
 * @param {import("./corners.js").Bounds | null} [bounds] @returns {Curvilinear}
 */
export function curvilinear(lon, lat, ny, nx, bounds = null) {
  const corners = bounds ? givenCorners(lon, bounds) : guessedCorners(lon, lat, ny, nx);
  return { kind: "curvilinear", nx, ny, lon, lat, ...corners };
}

/** Cells that lie anywhere: polygons where the store says their corners, else discs. @param {import("./corners.js").Bounds | null} [bounds] @returns {Points} */
export function scattered(lon, lat, bounds = null) {
  return { kind: "points", lon, lat, ...(bounds ? givenCorners(lon, bounds) : {}) };
}

/**
 * Longitudes and latitudes of a rotated pole's grid.
 *
 * The formula is CF's `rotated_latitude_longitude`: turn about the y axis by the new pole's colatitude, then about z.
 * @param {ArrayLike<number>} rlon @param {ArrayLike<number>} rlat
 * @param {{grid_north_pole_latitude: number, grid_north_pole_longitude: number, north_pole_grid_longitude?: number}} pole
 */
export function unrotate(rlon, rlat, pole) {
  const radians = Math.PI / 180;
  const [sin, cos] = [Math.sin(pole.grid_north_pole_latitude * radians), Math.cos(pole.grid_north_pole_latitude * radians)];
  const shift = pole.north_pole_grid_longitude ?? 0;
  const lon = new Float64Array(rlon.length * rlat.length);
  const lat = new Float64Array(lon.length);
  for (let j = 0; j < rlat.length; j++) {
    for (let i = 0; i < rlon.length; i++) {
      const [l, p] = [(rlon[i] - shift) * radians, rlat[j] * radians];
      // Cartesian in the rotated frame, whose meridian 0 runs from the new pole towards the old south.
      const [x, y, z] = [Math.cos(p) * Math.cos(l), Math.cos(p) * Math.sin(l), Math.sin(p)];
      const towards = x * sin - z * cos;
      const cell = j * rlon.length + i;
      lat[cell] = Math.asin(Math.max(-1, Math.min(1, x * cos + z * sin))) / radians;
      lon[cell] = near(Math.atan2(-y, -towards) / radians + pole.grid_north_pole_longitude, 0);
    }
  }
  return { lon, lat };
}

/**
 * The box that holds every cell, cut where the widest gap between longitudes is.
 * @param {Grid} grid @returns {Box}
 */
export function boxOf(grid) {
  if (grid.kind === "rectilinear") {
    const [west, east] = [Math.min(grid.xEdges[0], grid.xEdges.at(-1)), Math.max(grid.xEdges[0], grid.xEdges.at(-1))];
    const [south, north] = [Math.min(grid.yEdges[0], grid.yEdges.at(-1)), Math.max(grid.yEdges[0], grid.yEdges.at(-1))];
    return !grid.geographic || east - west < 359 ? { west, south, east, north } : { ...centred(west), south, north };
  }
  const [lons, lats] = grid.cornerLon ? [grid.cornerLon, grid.cornerLat] : [grid.lon, grid.lat];
  const [south, north] = rangeOf(lats);
  const [west, east] = grid.flat ? rangeOf(lons) : spanOf(lons);
  const margin = grid.cornerLon ? Math.max(east - west, north - south) / 100 : 2;
  const box = { west: west - margin, east: east + margin, south: south - margin, north: north + margin };
  if (grid.flat) return box;
  const globe = { ...box, south: Math.max(-90, box.south), north: Math.min(90, box.north) };
  return globe.east - globe.west > 330 ? { ...globe, west: -180, east: 180 } : globe;
}

function rangeOf(values) {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i])) [low, high] = [Math.min(low, values[i]), Math.max(high, values[i])];
  return [low, high];
}

/** All around: from −180 unless the data start elsewhere than at 0 or −180. */
function centred(west) {
  return Math.abs(near(west, 0)) < 10 || Math.abs(Math.abs(near(west, 0)) - 180) < 10 ? { west: -180, east: 180 } : { west, east: west + 360 };
}

function spanOf(lons) {
  const bins = new Uint8Array(360);
  for (let i = 0; i < lons.length; i++) if (Number.isFinite(lons[i])) bins[((Math.floor(lons[i]) % 360) + 360) % 360] = 1;
  let [gap, start, run] = [0, 0, 0];
  for (let k = 0; k < 720; k++) {
    run = bins[k % 360] ? 0 : run + 1;
    if (run > gap) [gap, start] = [run, k + 1];
  }
  if (gap >= 360) return [-180, 180];
  const west = near(start % 360, 0);
  return [west, west + 360 - gap];
}

/** The number of cells. @param {Grid} grid */
export function cellCount(grid) {
  return grid.kind === "rectilinear" ? grid.x.length * grid.y.length : grid.lon.length;
}

/** Centre of a cell. @param {Grid} grid @param {number} cell @returns {{x: number, y: number}} */
export function centreOf(grid, cell) {
  if (grid.kind !== "rectilinear") return { x: grid.lon[cell], y: grid.lat[cell] };
  const nx = grid.x.length;
  return { x: grid.x[cell % nx], y: grid.y[Math.floor(cell / nx)] };
}
