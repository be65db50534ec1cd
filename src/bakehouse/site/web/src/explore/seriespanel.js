/** The series at a point: asked for when it is dear, drawn, and offered as a table. */

import { element } from "../shared/dom.js";
import { counted, formatBytes, formatPlace, formatUnits, formatValue } from "../shared/text.js";
import { chart, csv } from "./chart.js";
import { isDear } from "./cost.js";
import { explain } from "./trouble.js";

/** @typedef {{source: import("./source.js").Source, variable: import("./dataset.js").Variable, axis: import("./dataset.js").Axis, at: Record<string, number>, iy: number, ix: number, place: {lat: number, lon: number}, geographic: boolean, title: string}} Request */

export class SeriesPanel {
  /** @param {(index: number) => void} onPick */
  constructor(onPick) {
    const find = (id) => document.getElementById(id);
    [this.section, this.heading, this.note, this.hover, this.link, this.body] = ["series", "series-title", "series-note", "series-hover", "series-csv", "series-body"].map(find);
    this.onPick = onPick;
  }

  hide() {
    this.controller?.abort();
    this.section.hidden = true;
    this.key = null;
  }

  /** @param {Request} request */
  async show(request) {
    const { source, variable, axis, at, iy, ix } = request;
    const key = JSON.stringify([variable.name, axis.name, iy, ix, Object.entries(at).filter(([dim]) => dim !== axis.name)]);
    if (key === this.key) return this.#draw(request);
    this.controller?.abort();
    [this.key, this.values] = [key, null];
    this.section.hidden = false;
    this.link.hidden = true;
    this.hover.textContent = "";
    this.heading.textContent = `${request.title} at ${request.geographic ? formatPlace(request.place.lat, request.place.lon) : `x ${request.place.lon}, y ${request.place.lat}`}`;
    const cost = source.seriesCost(variable, axis.name, at, iy, ix);
    if (isDear(cost)) return this.#ask(request, cost);
    return this.#load(request);
  }

  #ask(request, cost) {
    this.section.dataset.state = "asking";
    this.note.textContent = "";
    const words = `This series reads ${counted(cost.requests, "chunk")}, about ${formatBytes(cost.bytes)}: each chunk holds a whole area, of which this is one point.`;
    const go = element("button", { type: "button", class: "button", click: () => this.#load(request) }, `Load ${formatBytes(cost.bytes)}`);
    this.body.replaceChildren(element("div", { class: "series-ask" }, element("p", {}, words), go));
  }

  async #load(request) {
    const { source, variable, axis, at, iy, ix } = request;
    const key = this.key;
    this.controller = new AbortController();
    this.section.dataset.state = "loading";
    this.body.replaceChildren(element("p", { class: "muted" }, "Reading the series…"));
    const before = source.traffic;
    try {
      const values = await source.series(variable, axis.name, at, iy, ix, this.controller.signal);
      if (key !== this.key) return;
      const after = source.traffic;
      this.values = values;
      this.note.textContent = after.requests === before.requests ? `${counted(values.length, "value")}, from chunks that were here already` : `${counted(values.length, "value")} from ${counted(after.requests - before.requests, "request")}, ${formatBytes(after.bytes - before.bytes)}`;
      this.#draw(request);
    } catch (error) {
      if (key === this.key && error?.name !== "AbortError") this.#fail(error);
    }
  }

  #fail(error) {
    const { message, fix } = explain(error);
    this.key = null;
    this.section.dataset.state = "trouble";
    this.body.replaceChildren(element("p", { role: "alert" }, `${message} ${fix}`));
  }

  #draw({ variable, axis, at, title }) {
    if (!this.values) return;
    const units = formatUnits(variable.attrs.units);
    const numbers = axis.values?.every((value) => typeof value === "number") ? axis.values : null;
    const xs = axis.days ?? numbers ?? Float64Array.from({ length: axis.size }, (_, i) => i + 1);
    const series = { xs, values: this.values, label: axis.label, calendar: axis.calendar ?? null, units, title, current: at[axis.name] };
    const onHover = (i) => (this.hover.textContent = i < 0 ? "" : `${axis.label(i)}: ${formatValue(this.values[i])} ${Number.isFinite(this.values[i]) ? units : ""}`);
    const drawn = chart(series, { onHover, onPick: this.onPick });
    this.body.replaceChildren(drawn ?? element("p", { class: "muted" }, "There is no data at this point at any time."));
    this.section.dataset.state = "ready";
    this.#offer(series, variable.name);
  }

  #offer(series, name) {
    if (this.link.href) URL.revokeObjectURL(this.link.href);
    this.link.href = URL.createObjectURL(new Blob([csv(series, name)], { type: "text/csv" }));
    this.link.download = `${name}.csv`;
    this.link.hidden = false;
  }
}
