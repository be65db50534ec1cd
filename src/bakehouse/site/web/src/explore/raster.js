/**
 * Which cell lies under each pixel.
 *
 * A raster is made once for a grid and a view; drawing another time, other limits or another colormap only looks up
 * colours, and what a pointer is over is one look-up.
 */

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
  else if (grid.kind === "curvilinear") fillCurvilinear(raster, grid, view, width, height);
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

function fillCurvilinear(raster, grid, view, width, height) {
  const { cornerLon, cornerLat } = grid;
  const [perX, perY] = [width / (view.east - view.west), height / (view.north - view.south)];
  const [xs, ys] = [new Float64Array(4), new Float64Array(4)];
  for (let cell = 0; cell < grid.lon.length; cell++) {
    let [west, east, south, north] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let k = 4 * cell; k < 4 * cell + 4; k++) {
      west = Math.min(west, cornerLon[k]);
      east = Math.max(east, cornerLon[k]);
      south = Math.min(south, cornerLat[k]);
      north = Math.max(north, cornerLat[k]);
    }
    // A cell as wide as half the globe is at a pole or a fold, where its corners say nothing.
    if (!(east - west < 120) || north < view.south || south > view.north) continue;
    const turns = Math.ceil((view.west - east) / 360);
    for (let turn = turns * 360; west + turn < view.east; turn += 360) {
      for (let k = 0; k < 4; k++) {
        xs[k] = (cornerLon[4 * cell + k] + turn - view.west) * perX - 0.5;
        ys[k] = (view.north - cornerLat[4 * cell + k]) * perY - 0.5;
      }
      fillQuad(raster, width, height, xs, ys, cell);
    }
  }
}

/** Fill the pixels whose centres lie in a quadrilateral: between its leftmost and rightmost crossing of each row. */
function fillQuad(raster, width, height, xs, ys, cell) {
  const top = Math.max(0, Math.ceil(Math.min(ys[0], ys[1], ys[2], ys[3])));
  const bottom = Math.min(height - 1, Math.floor(Math.max(ys[0], ys[1], ys[2], ys[3])));
  for (let row = top; row <= bottom; row++) {
    let [from, to] = [Infinity, -Infinity];
    for (let k = 0; k < 4; k++) {
      const [y0, y1] = [ys[k], ys[(k + 1) & 3]];
      if ((row < y0 && row < y1) || (row > y0 && row > y1)) continue;
      const [x0, x1] = [xs[k], xs[(k + 1) & 3]];
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
    const x = ((near(grid.lon[cell], middle) - view.west) / (view.east - view.west)) * width;
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
