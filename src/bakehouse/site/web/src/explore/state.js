/** What is shown, as the page's address says it, so that a view can be shared. */

/** @typedef {{variable: string | null, picks: Record<string, string>, limits: [number, number] | null, cmap: string | null, point: {lat: number, lon: number} | null, view: import("./grid.js").Box | null}} State picks: the label chosen along each dimension */

const OWN = ["variable", "limits", "cmap", "point", "view"];

const numbers = (text, count) => {
  const parts = (text ?? "").split(",").map(Number);
  return text && parts.length === count && parts.every(Number.isFinite) ? parts : null;
};

/** A dimension's name in the address; those that this page uses itself get a prefix. */
const keyOf = (dim) => (OWN.includes(dim) || dim.startsWith("dim.") ? `dim.${dim}` : dim);

/** @param {string} query @returns {State} */
export function parseState(query) {
  const params = new URLSearchParams(query);
  const point = numbers(params.get("point"), 2);
  const view = numbers(params.get("view"), 4);
  const limits = numbers(params.get("limits"), 2);
  const picks = [...params].filter(([key]) => !OWN.includes(key)).map(([key, label]) => [key.replace(/^dim\./, ""), label]);
  return {
    variable: params.get("variable"),
    picks: Object.fromEntries(picks),
    limits: limits && limits[0] < limits[1] ? /** @type {[number, number]} */ (limits) : null,
    cmap: params.get("cmap"),
    point: point && { lat: point[0], lon: point[1] },
    view: view && view[0] < view[2] && view[1] < view[3] ? { west: view[0], south: view[1], east: view[2], north: view[3] } : null,
  };
}

/** @param {State} state @returns {string} a query with its question mark, or nothing */
export function formatState(state) {
  const params = new URLSearchParams();
  if (state.variable) params.set("variable", state.variable);
  for (const [dim, label] of Object.entries(state.picks)) params.set(keyOf(dim), label);
  if (state.limits) params.set("limits", state.limits.map((each) => Number(each.toPrecision(6))).join(","));
  if (state.cmap) params.set("cmap", state.cmap);
  if (state.point) params.set("point", [state.point.lat, state.point.lon].map((each) => Number(each.toFixed(4))).join(","));
  if (state.view) params.set("view", ["west", "south", "east", "north"].map((side) => Number(state.view[side].toFixed(3))).join(","));
  const text = params.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
  return text ? `?${text}` : "";
}
