/** The globe seen from above a pole, and grids that were laid out so. Degrees throughout. */

const RADIANS = Math.PI / 180;

/**
 * Stereographic from above a pole: shapes stay, and the pole is a place like any other.
 * Northern maps have 0° below the pole, southern ones above it. A unit is a degree of latitude at the pole.
 */
export class Polar {
  /** @param {1 | -1} pole north or south */
  constructor(pole) {
    this.pole = pole;
  }

  /** @returns {[number, number]} x to the right, y upwards */
  forward(lon, lat) {
    const far = (2 / RADIANS) * Math.tan(Math.min(85, (90 - this.pole * lat) / 2) * RADIANS);
    return [far * Math.sin(lon * RADIANS), -this.pole * far * Math.cos(lon * RADIANS)];
  }

  /** @returns {{lon: number, lat: number}} */
  inverse(x, y) {
    const lat = this.pole * (90 - (2 / RADIANS) * Math.atan((Math.hypot(x, y) * RADIANS) / 2));
    return { lon: Math.atan2(x, -this.pole * y) / RADIANS, lat };
  }
}

/** From here to the pole at most may a map from above it reach, and this near to the pole it has to come. */
const [FARTHEST, NEAREST] = [15, 80];

/**
 * The view from above a pole, for cells that lie all around it and nowhere else.
 * @param {import("./grid.js").Grid} grid @returns {Polar | null}
 */
export function polarFor(grid) {
  if (grid.kind === "rectilinear") return null;
  let [south, north] = [90, -90];
  const around = new Uint8Array(12);
  for (let i = 0; i < grid.lat.length; i++) {
    if (!Number.isFinite(grid.lat[i] + grid.lon[i])) continue;
    [south, north] = [Math.min(south, grid.lat[i]), Math.max(north, grid.lat[i])];
    around[((Math.floor(grid.lon[i] / 30) % 12) + 12) % 12] = 1;
  }
  if (around.includes(0)) return null;
  if (south > FARTHEST && north > NEAREST) return new Polar(1);
  return north < -FARTHEST && south < -NEAREST ? new Polar(-1) : null;
}

/**
 * A grid as a polar map shows it: flat, x and y in place of longitudes and latitudes.
 * @param {import("./grid.js").Grid} grid @param {Polar} polar
 */
export function flattened(grid, polar) {
  const turned = (lons, lats) => {
    const [xs, ys] = [new Float32Array(lons.length), new Float32Array(lons.length)];
    for (let i = 0; i < lons.length; i++) [xs[i], ys[i]] = polar.forward(lons[i], lats[i]);
    return [xs, ys];
  };
  const [lon, lat] = turned(grid.lon, grid.lat);
  const [cornerLon, cornerLat] = grid.cornerLon ? turned(grid.cornerLon, grid.cornerLat) : [];
  return { ...grid, flat: true, lon, lat, cornerLon, cornerLat };
}

/** Unit vectors of places: near a pole, only these can be averaged. @returns {[number, number, number]} */
export function vectorOf(lon, lat) {
  const [around, up] = [lon * RADIANS, lat * RADIANS];
  return [Math.cos(up) * Math.cos(around), Math.cos(up) * Math.sin(around), Math.sin(up)];
}

/** @param {number[]} vector of any length @returns {[number, number]} longitude, latitude */
export function placeOfVector([x, y, z]) {
  return [Math.atan2(y, x) / RADIANS, Math.atan2(z, Math.hypot(x, y)) / RADIANS];
}

/**
 * Longitudes and latitudes of a grid in polar stereographic coordinates, on a sphere or an ellipsoid.
 *
 * CF's `polar_stereographic`; J. P. Snyder, Map Projections, USGS Professional Paper 1395 (1987), pages 161 to 163.
 * @param {ArrayLike<number>} xs @param {ArrayLike<number>} ys in the unit of the earth's axes, metres
 * @param {Record<string, any>} mapping
 */
export function unstereographic(xs, ys, mapping) {
  const { a, e } = ellipsoidOf(mapping);
  const pole = (mapping.latitude_of_projection_origin ?? mapping.standard_parallel ?? 90) < 0 ? -1 : 1;
  const centre = mapping.straight_vertical_longitude_from_pole ?? mapping.longitude_of_projection_origin ?? 0;
  const perT = a * scaleOf(mapping, pole, e);
  const lon = new Float64Array(xs.length * ys.length);
  const lat = new Float64Array(lon.length);
  for (let j = 0; j < ys.length; j++) {
    for (let i = 0; i < xs.length; i++) {
      const [x, y] = [xs[i] - (mapping.false_easting ?? 0), ys[j] - (mapping.false_northing ?? 0)];
      const cell = j * xs.length + i;
      lat[cell] = (pole * latitudeOf(Math.hypot(x, y) / perT, e)) / RADIANS;
      const around = centre + Math.atan2(x, -pole * y) / RADIANS;
      lon[cell] = around - 360 * Math.round(around / 360);
    }
  }
  return { lon, lat };
}

function ellipsoidOf({ semi_major_axis, semi_minor_axis, inverse_flattening, earth_radius }) {
  const a = earth_radius ?? semi_major_axis ?? 6378137;
  if (earth_radius !== undefined) return { a, e: 0 };
  const known = semi_minor_axis !== undefined || inverse_flattening !== undefined;
  const ratio = semi_minor_axis !== undefined ? semi_minor_axis / a : 1 - (inverse_flattening ? 1 / inverse_flattening : 0);
  return { a, e: known ? Math.sqrt(Math.max(0, 1 - ratio * ratio)) : 0.0818191908426215 };
}

/** Snyder's t: how far from the pole a latitude lies, on a plane. */
function farOf(lat, e) {
  const s = e * Math.sin(lat);
  return Math.tan(Math.PI / 4 - lat / 2) / ((1 - s) / (1 + s)) ** (e / 2);
}

function scaleOf({ standard_parallel, scale_factor_at_projection_origin }, pole, e) {
  const parallel = pole * (standard_parallel ?? 90 * pole) * RADIANS;
  if (standard_parallel === undefined || Math.abs(parallel - Math.PI / 2) < 1e-9) {
    return (2 * (scale_factor_at_projection_origin ?? 1)) / Math.sqrt((1 + e) ** (1 + e) * (1 - e) ** (1 - e));
  }
  return Math.cos(parallel) / Math.sqrt(1 - (e * Math.sin(parallel)) ** 2) / farOf(parallel, e);
}

function latitudeOf(far, e) {
  let lat = Math.PI / 2 - 2 * Math.atan(far);
  for (let turn = 0; turn < 8; turn++) {
    const s = e * Math.sin(lat);
    lat = Math.PI / 2 - 2 * Math.atan(far * ((1 - s) / (1 + s)) ** (e / 2));
  }
  return lat;
}
