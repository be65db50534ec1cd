/** Corners of cells: those that the store gives, else from the centres of neighbours. Degrees throughout. */

import { near } from "./grid.js";
import { placeOfVector, vectorOf } from "./projection.js";

/** @typedef {{lon: ArrayLike<number>, lat: ArrayLike<number>, per: number}} Bounds `per` corners of each cell, one after the other around it */
/** @typedef {{per: number, cornerLon: Float32Array, cornerLat: Float32Array}} Corners */

/** From here on, longitudes and latitudes can't be averaged. */
const POLAR = 70;
const ROUND = [[-1, -1], [-1, 1], [1, 1], [1, -1]];

/** Corners as CF's cell bounds give them, longitudes unwrapped about the centre. @param {ArrayLike<number>} lon @param {Bounds} bounds @returns {Corners} */
export function givenCorners(lon, bounds) {
  const { per } = bounds;
  const cornerLon = Float32Array.from(bounds.lon, (each, i) => near(each, lon[Math.floor(i / per)]));
  return { per, cornerLon, cornerLat: Float32Array.from(bounds.lat) };
}

/**
 * Corners from centres: the mean of four neighbours inside, extrapolated at the rim.
 * @param {ArrayLike<number>} lon @param {ArrayLike<number>} lat @param {number} ny @param {number} nx @returns {Corners}
 */
export function guessedCorners(lon, lat, ny, nx) {
  const cornerLon = new Float32Array(4 * ny * nx);
  const cornerLat = new Float32Array(4 * ny * nx);
  const grid = { lon, lat, ny, nx };
  for (let j = 0; j < ny; j++) {
    for (let i = 0; i < nx; i++) {
      const cell = j * nx + i;
      for (let k = 0; k < 4; k++) {
        const corner = isPolar(grid, j, i, ...ROUND[k]) ? polarCorner : plainCorner;
        const [x, y] = corner(grid, j, i, ...ROUND[k]);
        cornerLon[4 * cell + k] = near(x, lon[cell]);
        cornerLat[4 * cell + k] = y;
      }
    }
  }
  return { per: 4, cornerLon, cornerLat };
}

/** Whether any cell at a corner is near a pole: all of them have to put the corner at the same place. */
function isPolar({ lat, ny, nx }, j, i, dj, di) {
  for (const row of [j, Math.max(0, Math.min(ny - 1, j + dj))]) {
    for (const column of [i, Math.max(0, Math.min(nx - 1, i + di))]) if (Math.abs(lat[row * nx + column]) > POLAR) return true;
  }
  return false;
}

function plainCorner({ lon, lat, ny, nx }, j, i, dj, di) {
  const about = [lon[j * nx + i], lat[j * nx + i]];
  const at = (row, column) => {
    if (row < 0 || column < 0 || row >= ny || column >= nx) return null;
    const [x, y] = [near(lon[row * nx + column], about[0]), lat[row * nx + column]];
    // A step of more than 30° is the seam of a folded grid, not a neighbour.
    return Number.isFinite(x + y) && Math.abs(y - about[1]) < 30 ? [x, y] : null;
  };
  const [x, y] = meanOfFour(at, about, j, i, dj, di);
  return [x, Math.max(-90, Math.min(90, y))];
}

function polarCorner({ lon, lat, ny, nx }, j, i, dj, di) {
  const about = vectorOf(lon[j * nx + i], lat[j * nx + i]);
  const at = (row, column) => {
    if (row < 0 || column < 0 || row >= ny || column >= nx) return null;
    const there = vectorOf(lon[row * nx + column], lat[row * nx + column]);
    return there.reduce((sum, each, axis) => sum + each * about[axis], 0) > 0.866 ? there : null;
  };
  return placeOfVector(meanOfFour(at, about, j, i, dj, di));
}

/** The mean of a cell and three neighbours; one past the rim is mirrored from the neighbour across. */
function meanOfFour(at, about, j, i, dj, di) {
  const sum = (first, second, third, sign) => first.map((each, axis) => each + second[axis] + sign * third[axis]);
  const mirrored = (there, across) => there && across && sum(there, there, across, -1);
  const [row, column, oppositeRow, oppositeColumn] = [j + dj, i + di, j - dj, i - di];
  const beside = at(j, column) ?? mirrored(about, at(j, oppositeColumn)) ?? about;
  const above = at(row, i) ?? mirrored(about, at(oppositeRow, i)) ?? about;
  const diagonal =
    at(row, column) ?? mirrored(at(j, column), at(oppositeRow, column)) ?? mirrored(at(row, i), at(row, oppositeColumn)) ?? sum(beside, above, about, -1);
  return about.map((each, axis) => (each + beside[axis] + above[axis] + diagonal[axis]) / 4);
}

/**
 * How often the edge of a cell goes around a pole: not at all, or once.
 * @param {Corners} corners @param {number} cell
 */
export function turnsOf({ per, cornerLon }, cell) {
  let turn = 0;
  for (let k = 0; k < per; k++) turn += near(cornerLon[per * cell + ((k + 1) % per)] - cornerLon[per * cell + k], 0);
  return Math.round(turn / 360);
}
