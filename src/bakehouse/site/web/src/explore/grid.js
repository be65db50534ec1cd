/** Where cells lie: edges and corners from centres, longitudes without jumps. Degrees throughout. */

/** @typedef {{kind: "rectilinear", x: Float64Array, y: Float64Array, xEdges: Float64Array, yEdges: Float64Array, geographic: boolean}} Rectilinear */
/** @typedef {{kind: "curvilinear", nx: number, ny: number, lon: ArrayLike<number>, lat: ArrayLike<number>, cornerLon: Float32Array, cornerLat: Float32Array}} Curvilinear corners of cell i are at 4i…4i+3, around the cell, longitudes unwrapped about its centre */
/** @typedef {{kind: "points", lon: ArrayLike<number>, lat: ArrayLike<number>}} Points */
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

/** @param {ArrayLike<number>} lon @param {ArrayLike<number>} lat @returns {Rectilinear} */
export function rectilinear(lon, lat) {
  const x = unwrap(lon);
  const xEdges = edges(x);
  const yEdges = edges(lat).map((edge) => Math.max(-90, Math.min(90, edge)));
  return { kind: "rectilinear", geographic: true, x, y: Float64Array.from(lat), xEdges, yEdges };
}

/** A plane without geography: cells at their coordinates, or at their indices. @returns {Rectilinear} */
export function plane(x, y) {
  return { kind: "rectilinear", geographic: false, x: Float64Array.from(x), y: Float64Array.from(y), xEdges: edges(x), yEdges: edges(y) };
}

/**
 * Corners of cells from their centres: the mean of four neighbours inside, extrapolated at the rim.
 * @param {ArrayLike<number>} lon @param {ArrayLike<number>} lat @param {number} ny @param {number} nx @returns {Curvilinear}
 */
export function curvilinear(lon, lat, ny, nx) {
  const cornerLon = new Float32Array(4 * ny * nx);
  const cornerLat = new Float32Array(4 * ny * nx);
  for (let j = 0; j < ny; j++) {
    for (let i = 0; i < nx; i++) {
      const cell = j * nx + i;
      [[-1, -1], [-1, 1], [1, 1], [1, -1]].forEach(([dj, di], corner) => {
        const [x, y] = cornerOf(lon, lat, ny, nx, j, i, dj, di);
        cornerLon[4 * cell + corner] = x;
        cornerLat[4 * cell + corner] = y;
      });
    }
  }
  return { kind: "curvilinear", nx, ny, lon, lat, cornerLon, cornerLat };
}

/** A neighbour's place; past the rim, or where it has none, mirrored from the neighbour across. */
function neighbour(lon, lat, ny, nx, j, i, dj, di) {
  const about = lon[j * nx + i];
  const at = (row, column) => {
    if (row < 0 || column < 0 || row >= ny || column >= nx) return null;
    const cell = row * nx + column;
    const [x, y] = [near(lon[cell], about), lat[cell]];
    // A step of more than 30° is the seam of a folded grid, not a neighbour.
    return Number.isFinite(x + y) && Math.abs(y - lat[j * nx + i]) < 30 ? [x, y] : null;
  };
  const there = at(j + dj, i + di);
  if (there) return there;
  const across = at(j - dj, i - di);
  return across ? [2 * about - across[0], 2 * lat[j * nx + i] - across[1]] : null;
}

function cornerOf(lon, lat, ny, nx, j, i, dj, di) {
  const about = [lon[j * nx + i], lat[j * nx + i]];
  const beside = neighbour(lon, lat, ny, nx, j, i, 0, di) ?? about;
  const above = neighbour(lon, lat, ny, nx, j, i, dj, 0) ?? about;
  const inside = j + dj >= 0 && i + di >= 0 && j + dj < ny && i + di < nx;
  const diagonal = (inside && neighbour(lon, lat, ny, nx, j, i, dj, di)) || [beside[0] + above[0] - about[0], beside[1] + above[1] - about[1]];
  const mean = (axis) => (about[axis] + beside[axis] + above[axis] + diagonal[axis]) / 4;
  return [mean(0), Math.max(-90, Math.min(90, mean(1)))];
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
  const lats = Array.from(grid.lat).filter(Number.isFinite);
  const [south, north] = lats.reduce(([lo, hi], lat) => [Math.min(lo, lat), Math.max(hi, lat)], [90, -90]);
  const { west, east } = spanOf(grid.lon);
  const margin = grid.kind === "points" ? 2 : Math.max(east - west, north - south) / 60;
  const box = { west: west - margin, east: east + margin, south: Math.max(-90, south - margin), north: Math.min(90, north + margin) };
  return box.east - box.west > 330 ? { ...box, west: -180, east: 180 } : box;
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
  if (gap >= 360) return { west: -180, east: 180 };
  const west = near(start % 360, 0);
  return { west, east: west + 360 - gap };
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
