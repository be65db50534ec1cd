/**
 * Which cell lies under each pixel.
 *
 * A raster is made once for a grid and a view; drawing another time, other limits or another colormap only looks up
 * colours, and what a pointer is over is one look-up.
 */

import { turnsOf } from "./corners.js";
import { near } from "./grid.js";

/** @typedef {import("./grid.js").Grid} Grid */
/** @typedef {import("./grid.js").Box} Box */

/**
 * @param {Grid} grid @param {Box} view @param {number} width @param {number} height
 * @returns {Int32Array} the cell of each pixel, row by row from the north; -1 where there is none
 */
export function rasterise(grid, view, width, height) {
  const raster = new Int32Array(width * height).fill(-1);
  if (grid.kind === "rectilinear") fillRectilinear(raster, grid, view, width, height);
  else if (grid.cornerLon) fillPolygons(raster, grid, view, width, height);
  else fillPoints(raster, grid, view, width, height);
  return raster;
}

/** The interval that holds a value; -1 outside. Edges rise or fall. @param {Float64Array} edges @param {number} value */
export function locate(edges, value) {
  const falls = edges[edges.length - 1] < edges[0];
  let [low, high] = [0, edges.length - 1];
  const [first, last] = falls ? [edges[high], edges[low]] : [edges[low], edges[high]];
  if (!(value >= first && value <= last)) return -1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (falls ? value > edges[middle] : value < edges[middle]) high = middle;
    else low = middle;
  }
  return low;
}

function fillRectilinear(raster, grid, view, width, height) {
  const nx = grid.x.length;
  const middle = (grid.xEdges[0] + grid.xEdges[nx]) / 2;
  const columns = Int32Array.from({ length: width }, (_, column) => {
    const x = view.west + ((column + 0.5) / width) * (view.east - view.west);
    return locate(grid.xEdges, grid.geographic ? near(x, middle) : x);
  });
  for (let row = 0; row < height; row++) {
    const j = locate(grid.yEdges, view.north - ((row + 0.5) / height) * (view.north - view.south));
    if (j < 0) continue;
    for (let column = 0; column < width; column++) {
      if (columns[column] >= 0) raster[row * width + column] = j * nx + columns[column];
    }
  }
}

/** Cells with corners, in degrees that turn, or on a plane that does not. */
function fillPolygons(raster, grid, view, width, height) {
  const { per, flat } = grid;
  const [perX, perY] = [width / (view.east - view.west), height / (view.north - view.south)];
  const cornered = { x: new Float64Array(per), y: new Float64Array(per), west: 0, east: 0, south: 0, north: 0 };
  const [xs, ys] = [new Float64Array(per), new Float64Array(per)];
  for (let cell = 0; cell < grid.lon.length; cell++) {
    const { x, y, west, east, south, north } = outline(grid, cell, cornered);
    if (!flat && east - west > 90 && turnsOf(grid, cell)) {
      fillPole(raster, x, y, view, width, height, cell);
      continue;
    }
    // A cell as wide as half the globe is at a fold, where its corners say nothing.
    if (!(east - west < (flat ? Infinity : 180)) || north < view.south || south > view.north) continue;
    for (let turn = flat ? 0 : 360 * Math.ceil((view.west - east) / 360); west + turn < view.east; turn += 360) {
      for (let k = 0; k < per; k++) {
        xs[k] = (x[k] + turn - view.west) * perX - 0.5;
        ys[k] = (view.north - y[k]) * perY - 0.5;
      }
      fillPolygon(raster, width, height, xs, ys, cell);
      if (flat) break;
    }
  }
}

/** The corners of a cell, each within half a turn of the one before, and the box around them. */
function outline({ per, cornerLon, cornerLat, flat }, cell, into) {
  Object.assign(into, { west: Infinity, east: -Infinity, south: Infinity, north: -Infinity });
  for (let k = 0; k < per; k++) {
    const [x, y] = [cornerLon[per * cell + k], cornerLat[per * cell + k]];
    into.x[k] = flat || k === 0 ? x : near(x, into.x[k - 1]);
    into.y[k] = y;
    into.west = Math.min(into.west, into.x[k]);
    into.east = Math.max(into.east, into.x[k]);
    into.south = Math.min(into.south, y);
    into.north = Math.max(into.north, y);
  }
  return into;
}

/** A cell that holds a pole lies above all longitudes: from its edge to the pole. */
function fillPole(raster, lons, lats, view, width, height, cell) {
  const north = lats.reduce((sum, lat) => sum + lat, 0) > 0;
  const rowOf = (lat) => ((view.north - lat) / (view.north - view.south)) * height - 0.5;
  for (let column = 0; column < width; column++) {
    const edge = edgeAt(lons, lats, view.west + ((column + 0.5) / width) * (view.east - view.west), north);
    const [top, bottom] = north ? [rowOf(90), rowOf(edge)] : [rowOf(edge), rowOf(-90)];
    for (let row = Math.max(0, Math.ceil(top)); row <= Math.min(height - 1, bottom); row++) raster[row * width + column] = cell;
  }
}

/** The latitude where a line around the pole crosses a longitude; the one farthest from the pole. */
function edgeAt(lons, lats, lon, north) {
  const found = [];
  for (let k = 0; k < lons.length; k++) {
    const next = (k + 1) % lons.length;
    const step = near(lons[next] - lons[k], 0);
    const part = (near(lon, lons[k] + step / 2) - lons[k]) / step;
    if (part >= 0 && part <= 1) found.push(lats[k] + part * (lats[next] - lats[k]));
  }
  return north ? Math.min(...found) : Math.max(...found);
}

/** Fill the pixels whose centres lie in a convex polygon: between its leftmost and rightmost crossing of each row. */
function fillPolygon(raster, width, height, xs, ys, cell) {
  const n = xs.length;
  let [low, high] = [Infinity, -Infinity];
  for (let k = 0; k < n; k++) [low, high] = [Math.min(low, ys[k]), Math.max(high, ys[k])];
  const top = Math.max(0, Math.ceil(low));
  const bottom = Math.min(height - 1, Math.floor(high));
  for (let row = top; row <= bottom; row++) {
    let [from, to] = [Infinity, -Infinity];
    for (let k = 0; k < n; k++) {
      const next = k + 1 === n ? 0 : k + 1;
      const [y0, y1] = [ys[k], ys[next]];
      if ((row < y0 && row < y1) || (row > y0 && row > y1)) continue;
      const [x0, x1] = [xs[k], xs[next]];
      const x = y0 === y1 ? x0 : x0 + ((row - y0) / (y1 - y0)) * (x1 - x0);
      from = Math.min(from, x, y0 === y1 ? x1 : x);
      to = Math.max(to, x, y0 === y1 ? x1 : x);
    }
    for (let column = Math.max(0, Math.ceil(from)); column <= Math.min(width - 1, to); column++) raster[row * width + column] = cell;
  }
}

function fillPoints(raster, grid, view, width, height) {
  const radius = Math.max(3, Math.min(width / 120, 60 * (width / (grid.lon.length || 1))));
  const middle = (view.west + view.east) / 2;
  for (let cell = 0; cell < grid.lon.length; cell++) {
    const x = (((grid.flat ? grid.lon[cell] : near(grid.lon[cell], middle)) - view.west) / (view.east - view.west)) * width;
    const y = ((view.north - grid.lat[cell]) / (view.north - view.south)) * height;
    if (Number.isFinite(x + y)) fillDisc(raster, width, height, x, y, radius, cell);
  }
}

function fillDisc(raster, width, height, x, y, radius, cell) {
  for (let row = Math.max(0, Math.floor(y - radius)); row <= Math.min(height - 1, y + radius); row++) {
    const half = Math.sqrt(Math.max(0, radius * radius - (row + 0.5 - y) ** 2));
    for (let column = Math.max(0, Math.round(x - half)); column < Math.min(width, Math.round(x + half)); column++) {
      raster[row * width + column] = cell;
    }
  }
}

/**
 * Colour a raster.
 * @param {Int32Array} raster @param {ArrayLike<number>} values one for each cell; NaN is transparent
 * @param {[number, number]} limits @param {Uint32Array} colours 256 of them, as the bytes R, G, B, A in memory
 * @param {Uint32Array} pixels what is written
 */
export function paint(raster, values, limits, colours, pixels) {
  const [low, high] = limits;
  const scale = high > low ? 256 / (high - low) : 0;
  for (let i = 0; i < raster.length; i++) {
    const value = raster[i] < 0 ? NaN : values[raster[i]];
    if (value !== value) pixels[i] = 0;
    else pixels[i] = colours[scale ? Math.max(0, Math.min(255, Math.floor((value - low) * scale))) : 128];
  }
}
