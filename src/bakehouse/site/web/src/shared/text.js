/** Numbers in words. */

/** @param {number} bytes */
export function formatBytes(bytes) {
  const [unit, size] = [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]].find(([, each]) => bytes >= Number(each) * 0.95) ?? ["bytes", 1];
  const value = bytes / Number(size);
  return `${value >= 10 || unit === "bytes" ? Math.round(value) : Number(value.toFixed(1))} ${unit}`;
}

/** @param {number} count @param {string} noun */
export function counted(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

/** A value with as many digits as tell it apart. @param {number} value */
export function formatValue(value) {
  if (!Number.isFinite(value)) return "no data";
  if (value !== 0 && (Math.abs(value) >= 1e6 || Math.abs(value) < 1e-3)) return value.toExponential(3).replace("-", "−").replace("e−", "e-").replace("e+", "e");
  return String(Number(value.toPrecision(5))).replace("-", "−");
}

/** @param {number} lat @param {number} lon already within ±180 */
export function formatPlace(lat, lon) {
  const side = (value, positive, negative) => `${Math.abs(value).toFixed(2)}° ${value < 0 ? negative : positive}`;
  return `${side(lat, "N", "S")}, ${side(lon, "E", "W")}`;
}

/** CF units as people write them. @param {string | undefined} units */
export function formatUnits(units) {
  const known = { degC: "°C", degree_C: "°C", degrees_C: "°C", degree_Celsius: "°C", Celsius: "°C", celsius: "°C", 1: "", K: "K" };
  if (units === undefined || units === null) return "";
  return known[units] ?? String(units).replace(/(?<=[A-Za-z])(?:\*\*|\^)?(-?\d)(?=\s|$)/g, (_, digit) => [...digit].map((each) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(each)]).join("")).trim();
}
