/** The coasts that come with the site. */

/** @typedef {[number, number][][]} Lines longitude, latitude */

const loaded = new Map();

/** @param {"coastlines.json" | "coastlines-50m.json"} name @returns {Promise<Lines>} none if they can't be had */
export function coastlines(name = "coastlines.json") {
  const url = new URL(name, assets());
  if (!loaded.has(name)) loaded.set(name, fetch(url).then((response) => (response.ok ? response.json() : []), () => []));
  return loaded.get(name);
}

/** The folder that this script came from; chunks lie one below. */
function assets() {
  return new URL(import.meta.url.includes("/chunks/") ? ".." : ".", import.meta.url);
}
