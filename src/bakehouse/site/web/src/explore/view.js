/** The part of the plane that the map shows. */

/** @typedef {import("./grid.js").Box} Box */

/**
 * How much a degree of longitude is shortened, so that shapes look right at the latitude of the data.
 * @param {Box} box @param {boolean} geographic
 */
export function shortening(box, geographic) {
  if (!geographic) return null;
  const middle = (box.south + box.north) / 2;
  return box.east - box.west > 180 ? 1 : Math.max(0.3, Math.cos((middle * Math.PI) / 180));
}

/** Height by width that suits a box, within what a page bears. @param {Box} box @param {number | null} shrink */
export function aspectOf(box, shrink) {
  const aspect = shrink === null ? 0.5 : (box.north - box.south) / ((box.east - box.west) * shrink);
  return Math.max(0.22, Math.min(0.72, aspect));
}

/** The smallest view that holds a box and fills a frame. @param {Box} box @param {number} aspect height by width @param {number | null} shrink @returns {Box} */
export function fitView(box, aspect, shrink) {
  if (shrink === null) return box;
  const [width, height] = [(box.east - box.west) * shrink, box.north - box.south];
  const wide = Math.max(width, height / aspect);
  return around((box.west + box.east) / 2, (box.south + box.north) / 2, wide / shrink, wide * aspect);
}

function around(x, y, width, height) {
  return { west: x - width / 2, east: x + width / 2, south: y - height / 2, north: y + height / 2 };
}

/** @param {Box} view @param {number} factor less than one comes closer @param {{x: number, y: number}} [about] stays where it is */
export function zoomed(view, factor, about) {
  const { x, y } = about ?? { x: (view.west + view.east) / 2, y: (view.south + view.north) / 2 };
  return { west: x + (view.west - x) * factor, east: x + (view.east - x) * factor, south: y + (view.south - y) * factor, north: y + (view.north - y) * factor };
}

/** @param {Box} view @param {number} dx @param {number} dy @returns {Box} */
export function moved(view, dx, dy) {
  return { west: view.west + dx, east: view.east + dx, south: view.south + dy, north: view.north + dy };
}

/** Keep a view near what there is to see: not larger than all, not off the map. @param {Box} view @param {Box} home @returns {Box} */
export function bounded(view, home, wraps) {
  const all = home.east - home.west;
  if (view.east - view.west >= all * 0.999) return home;
  if (view.east - view.west < all / 2000) return zoomed(view, all / 2000 / (view.east - view.west));
  const dy = Math.max(0, home.south - view.south) - Math.max(0, view.north - home.north);
  const dx = wraps && all > 330 ? 0 : Math.max(0, home.west - view.west) - Math.max(0, view.east - home.east);
  return moved(view, dx, dy);
}

/** @param {Box} view @param {number} x @param {number} y fractions of the frame, from the upper left */
export function placeAt(view, x, y) {
  return { x: view.west + x * (view.east - view.west), y: view.north - y * (view.north - view.south) };
}
