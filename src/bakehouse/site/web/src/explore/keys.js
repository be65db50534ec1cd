/** The map by keyboard: a cursor cell that arrows move, and what it says is read out. */

import { nearestCell } from "./nearest.js";

const STEPS = { ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

/**
 * The neighbouring cell that lies towards a direction; grids run either way, and turn.
 * @param {import("./map.js").MapView} map @param {import("./source.js").Field} field @param {number} cell
 * @param {number[]} direction right, up @param {number} count
 */
export function towards(map, field, cell, [east, north], count = 1) {
  const width = field.window.x1 - field.window.x0;
  const height = field.window.y1 - field.window.y0;
  if (field.grid.kind === "points") return cell + (east + north > 0 ? 1 : -1);
  const column = cell % width;
  const candidates = [-1, 1, -width, width].filter((step) => {
    const next = cell + step;
    return next >= 0 && next < width * height && (Math.abs(step) > 1 || width === 1 || Math.abs((next % width) - column) === 1);
  });
  const along = (step) => {
    const [dx, dy] = map.offset(field.grid, cell, cell + step);
    return (dx * east + dy * north) / (Math.hypot(dx, dy) || 1);
  };
  const best = candidates.sort((a, b) => along(b) - along(a))[0];
  if (best === undefined || !(along(best) > 0.3)) return wrapped(field, cell, east);
  return count > 1 ? towards(map, field, cell + best, [east, north], count - 1) : cell + best;
}

/** Past the last column of a grid that goes all around, the first. */
function wrapped(field, cell, east) {
  const { grid } = field;
  if (!east || grid.kind !== "rectilinear" || !grid.geographic) return cell;
  const width = grid.x.length;
  if (Math.abs(grid.xEdges[width] - grid.xEdges[0]) < 359) return cell;
  return cell % width === 0 ? cell + width - 1 : cell - (width - 1);
}

/** @param {HTMLElement} frame @param {import("./app.js").Explorer} app */
export function listenToKeys(frame, app) {
  const place = (cell) => {
    app.map.moveCursor(cell, true);
    app.point(cell, true);
  };
  const act = {
    Enter: () => app.pick(app.map.cursor),
    " ": () => app.pick(app.map.cursor),
    PageUp: () => app.timebar.step(1),
    PageDown: () => app.timebar.step(-1),
    "+": () => app.map.zoom(0.6),
    "=": () => app.map.zoom(0.6),
    "-": () => app.map.zoom(1 / 0.6),
    "−": () => app.map.zoom(1 / 0.6),
    0: () => app.map.reset(),
  };
  frame.addEventListener("keydown", (event) => {
    if (event.target !== frame || event.ctrlKey || event.metaKey || event.altKey || !app.field) return;
    const step = STEPS[event.key];
    if (!step && !(event.key in act)) return;
    event.preventDefault();
    if (!step) return act[event.key]();
    const start = app.map.cursor >= 0 ? app.map.cursor : app.last ?? middleOf(app);
    const next = app.map.cursor < 0 ? start : towards(app.map, app.field, start, step, event.shiftKey ? 10 : 1);
    app.last = next;
    place(next);
  });
}

function middleOf(app) {
  return nearestCell(app.field.grid, app.map.middle());
}

