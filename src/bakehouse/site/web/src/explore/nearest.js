/** From a place to the cell nearest to it. */

import { edges, near } from "./grid.js";
import { vectorOf } from "./projection.js";
import { locate } from "./raster.js";

/** The cell nearest to a place. @param {import("./grid.js").Grid} grid @param {{lat: number, lon: number}} place @returns {number} */
export function nearestCell(grid, { lat, lon }) {
  if (grid.kind === "rectilinear") {
    const middle = (grid.xEdges[0] + grid.xEdges.at(-1)) / 2;
    const ix = nearestIndex(grid.x, grid.geographic ? near(lon, middle) : lon);
    return nearestIndex(grid.y, lat) * grid.x.length + ix;
  }
  let [best, least] = [-1, Infinity];
  const about = vectorOf(lon, lat);
  const shrink = Math.cos((lat * Math.PI) / 180) ** 2;
  for (let cell = 0; cell < grid.lon.length; cell++) {
    const distance = Math.abs(lat) > 60 ? -dot(vectorOf(grid.lon[cell], grid.lat[cell]), about) : near(grid.lon[cell] - lon, 0) ** 2 * shrink + (grid.lat[cell] - lat) ** 2;
    if (distance < least) [best, least] = [cell, distance];
  }
  return best;
}

const dot = ([a, b, c], [x, y, z]) => a * x + b * y + c * z;

function nearestIndex(values, wanted) {
  return Math.max(0, Math.min(values.length - 1, locate(edges(values), Math.max(Math.min(...ends(values)), Math.min(Math.max(...ends(values)), wanted)))));
}

const ends = (values) => [values[0], values[values.length - 1]];
