/** The explore page: what is chosen, what is read for it, and what is shown. */

import { element } from "../shared/dom.js";
import { counted, formatBytes, formatPlace, formatUnits, formatValue } from "../shared/text.js";
import { colours, fitLimits } from "./colours.js";
import { axisControl, indexOfLabel, sameOn, title } from "./controls.js";
import { isDear } from "./cost.js";
import { Legend } from "./legend.js";
import { listenToKeys } from "./keys.js";
import { MapView } from "./map.js";
import { SeriesPanel } from "./seriespanel.js";
import { nearestCell } from "./nearest.js";
import { indicesOf, placeOf, Source, windowOf } from "./source.js";
import { formatState, parseState } from "./state.js";
import { TimeBar } from "./timebar.js";
import { explain, StoreError } from "./trouble.js";

/** @typedef {{url: string, zarr_format: number, preview_url: string | null, variables: {name: string, long_name?: string, units?: string, limits?: [number, number] | null, cmap?: string}[]}} Data */

const find = (id) => document.getElementById(id);

/** Whether a preview, which has one place along some dimensions, is of the place that is chosen. */
function selectedAt(small, at) {
  return Object.entries(at).every(([dim, index]) => small.others.includes(dim) || index === (small.attrs.selected?.[dim] ?? 0));
}

export class Explorer {
  /** @param {HTMLElement} root @param {Data} data */
  constructor(root, data) {
    Object.assign(this, { root, data, detail: false, turn: 0, fitted: new Map(), state: parseState(location.search) });
    const onMap = { onHover: (cell) => this.point(cell), onPick: (cell) => this.pick(cell), onView: (view) => this.viewed(view) };
    this.map = new MapView(find("map"), onMap);
    this.legend = new Legend((limits) => this.restyle({ limits }), () => this.restyle({ limits: fitLimits(this.field?.values ?? []) }), (cmap) => this.restyle({ cmap }));
    this.timebar = new TimeBar((index, settled) => this.choose(this.timeDim, index, settled));
    this.series = new SeriesPanel((index) => this.choose(this.seriesAxis.name, index));
    this.#listen();
  }

  #listen() {
    find("variable").addEventListener("change", (event) => this.change({ variable: event.target.value, limits: null, cmap: null }));
    find("zoom-in").addEventListener("click", () => this.map.zoom(0.6));
    find("zoom-out").addEventListener("click", () => this.map.zoom(1 / 0.6));
    find("zoom-reset").addEventListener("click", () => this.map.reset());
    find("detail-go").addEventListener("click", () => ((this.detail = true), this.show()));
    find("ask-go").addEventListener("click", () => this.show({ agreed: true }));
    find("trouble-again").addEventListener("click", () => (this.full ? this.show() : this.start()));
    find("controls").addEventListener("submit", (event) => event.preventDefault());
    addEventListener("popstate", () => ((this.state = parseState(location.search)), this.full && this.show({ back: true })));
    listenToKeys(find("map"), this);
  }

  async start() {
    this.#stage("opening", "Opening the store");
    const ratio = Number(this.root.dataset.ratio) || 1;
    try {
      const { url, preview_url, zarr_format, variables } = this.data;
      const preview = preview_url ? Source.open({ url: preview_url, zarr_format: 3, variables }).catch(() => null) : null;
      this.full = await Source.open({ url, zarr_format, variables, ratio });
      this.preview = await preview;
      if (!this.full.variables.length) throw new StoreError("None of the store's variables has a map.", { fix: "The dataset's page says what they are." });
      this.#listVariables();
      await this.show();
    } catch (error) {
      this.#trouble(error);
    }
  }

  #known(name) {
    return this.data.variables.find((each) => each.name === name) ?? {};
  }

  #titleOf(variable) {
    const { long_name, standard_name } = variable.attrs;
    const text = long_name ?? this.#known(variable.name).long_name ?? standard_name;
    return text ? title(text) : variable.name;
  }

  #listVariables() {
    const options = this.full.variables.map((each) => {
      const words = this.#titleOf(each);
      return element("option", { value: each.name }, words.replaceAll(" ", "_").toLowerCase() === each.name ? words : `${words} (${each.name})`);
    });
    find("variable").replaceChildren(...options);
  }

  /** Take over a change, remember it in the address, and show it. @param {Partial<import("./state.js").State>} changes */
  change(changes, { push = true } = {}) {
    Object.assign(this.state, changes);
    this.#address(push);
    return this.show();
  }

  #address(push) {
    const query = formatState(this.state) || location.pathname;
    if (query !== location.search) history[push ? "pushState" : "replaceState"](null, "", query);
  }

  /** Another moment, level or member. @param {string} dim @param {number} index */
  choose(dim, index, settled = true) {
    const axis = this.axes.find((each) => each.name === dim);
    this.state.picks = { ...this.state.picks, [dim]: axis.label(index) };
    if (settled) this.#address(false);
    clearTimeout(this.soon);
    if (settled) return this.show();
    this.soon = setTimeout(() => this.show(), 60);
  }

  restyle(changes) {
    Object.assign(this.state, changes);
    this.#address(false);
    this.#colour();
  }

  viewed(view) {
    this.state.view = view;
    clearTimeout(this.later);
    this.later = setTimeout(() => (this.#address(false), this.#reviewed()), 250);
  }

  /** After the view moved: cells that were not read may have come into it. */
  #reviewed() {
    if (!this.field || this.root.dataset.state === "loading") return;
    if (this.source === this.preview) return this.#offerDetail();
    const { window } = this.field;
    const wanted = windowOf(this.grid, this.map.view, this.full.whole(this.variable));
    const inside = wanted.x0 >= window.x0 && wanted.x1 <= window.x1 && wanted.y0 >= window.y0 && wanted.y1 <= window.y1;
    if (!inside) this.show();
  }

  async #where(variable) {
    const axes = await Promise.all(variable.others.map((dim) => this.full.axis(variable, dim)));
    const at = {};
    for (const axis of axes) {
      const said = indexOfLabel(axis, this.state.picks[axis.name]);
      at[axis.name] = said >= 0 ? said : await this.#firstLook(variable, axis);
    }
    return { axes, at };
  }

  /** The latest moment, of the preview where there is one; the first of anything else. */
  async #firstLook(variable, axis) {
    const small = this.preview?.variable(variable.name);
    if (small?.others.includes(axis.name)) {
      const there = await this.preview.axis(small, axis.name);
      const same = sameOn(there, axis, axis.kind === "time" ? there.size - 1 : 0);
      if (same >= 0) return same;
    }
    if (small && axis.name in (small.attrs.selected ?? {})) return small.attrs.selected[axis.name];
    return axis.kind === "time" && !small ? axis.size - 1 : 0;
  }

  /** Read what is chosen, from the preview or the store, and draw it. */
  async show({ agreed = false, back = false } = {}) {
    const turn = ++this.turn;
    this.controller?.abort();
    this.controller = new AbortController();
    try {
      const variable = this.full.variable(this.state.variable) ?? this.full.variables[0];
      const { axes, at } = await this.#where(variable);
      if (turn !== this.turn) return;
      this.#present(variable, axes, at);
      const got = (await this.#fromPreview(variable, axes, at)) ?? (await this.#fromStore(variable, at, agreed, turn));
      if (turn !== this.turn || !got) return;
      await this.#draw(got, back);
    } catch (error) {
      if (turn === this.turn && error?.name !== "AbortError") this.#trouble(error);
    }
  }

  #present(variable, axes, at) {
    Object.assign(this, { variable, axes, at });
    this.timeDim = axes.find((axis) => axis.kind === "time" && axis.size > 1)?.name;
    this.seriesAxis = axes.find((axis) => axis.name === this.timeDim) ?? axes.filter((axis) => axis.size > 1).sort((a, b) => b.size - a.size)[0] ?? null;
    find("variable").value = variable.name;
    const others = axes.filter((axis) => axis.name !== this.timeDim && axis.size > 1);
    if (!find("axes").contains(document.activeElement)) {
      find("axes").replaceChildren(...others.map((axis) => axisControl(axis, at[axis.name], (index) => this.choose(axis.name, index))));
    }
    this.timebar.show(axes.find((axis) => axis.name === this.timeDim) ?? null, at[this.timeDim]);
  }

  async #fromPreview(variable, axes, at) {
    const small = this.detail ? null : this.preview?.variable(variable.name);
    if (!small) return null;
    const there = {};
    for (const axis of axes) {
      if (!small.others.includes(axis.name)) continue;
      there[axis.name] = sameOn(axis, await this.preview.axis(small, axis.name), at[axis.name]);
    }
    if (small.others.some((dim) => !(there[dim] >= 0)) || !selectedAt(small, at)) return null;
    this.#stage("loading", "Reading the preview");
    const field = await this.preview.field(small, there, this.preview.whole(small), this.controller.signal).catch((error) => {
      if (error?.name === "AbortError") throw error;
      return null;
    });
    return field && { field, grid: await this.preview.grid(small), source: this.preview };
  }

  async #fromStore(variable, at, agreed, turn) {
    this.#stage("loading", "Reading the map");
    const grid = await this.full.grid(variable);
    let window = this.full.whole(variable);
    let cost = this.full.fieldCost(variable, at, window);
    const view = this.grid ? this.map.view : this.state.view;
    if (isDear(cost) && view) {
      window = windowOf(grid, view, window);
      cost = this.full.fieldCost(variable, at, window);
    }
    if (turn !== this.turn) return null;
    if (isDear(cost) && !agreed) return this.#ask(cost, grid);
    return { field: await this.full.field(variable, at, window, this.controller.signal), grid, source: this.full };
  }

  #ask({ requests, bytes }, grid) {
    this.#stage("asking");
    const closer = grid.kind === "rectilinear" && this.field ? " Zoom in to read less, or load it all." : "";
    find("ask-text").textContent = `This map reads ${counted(requests, "chunk")}, about ${formatBytes(bytes)}.${closer}`;
    find("ask-go").textContent = `Load ${formatBytes(bytes)}`;
    return null;
  }

  async #draw({ field, grid, source }, back) {
    const moved = this.grid && this.grid !== grid && this.map.view !== this.map.home;
    const view = back || !this.grid ? this.state.view : moved ? this.map.view : null;
    Object.assign(this, { field, grid, source });
    this.map.show(field, grid, view);
    if (back && !this.state.view) this.map.reset();
    this.#colour();
    this.#stage("ready");
    this.#offerDetail();
    this.point(-1);
    find("map").setAttribute("aria-label", `Map of ${this.#titleOf(this.variable)}${this.timeDim ? `, ${this.#moment()}` : ""}`);
    await this.#showPoint();
  }

  #moment() {
    const axis = this.axes.find((each) => each.name === this.timeDim);
    return axis ? axis.label(this.at[axis.name]) : "";
  }

  #limits() {
    const { name } = this.variable;
    if (this.state.limits) return this.state.limits;
    const stated = this.#known(name).limits;
    if (stated && stated[0] < stated[1]) return stated;
    if (!this.fitted.has(name)) {
      const found = fitLimits(this.field.values);
      if (!found) return [0, 1];
      this.fitted.set(name, found);
    }
    return this.fitted.get(name);
  }

  #colour() {
    if (!this.field) return;
    const cmap = this.state.cmap ?? this.#known(this.variable.name).cmap ?? "viridis";
    const limits = this.#limits();
    this.map.colour(limits, colours(cmap));
    this.legend.show(limits, cmap, this.field.values);
  }

  #offerDetail() {
    const panel = find("detail");
    panel.hidden = this.source !== this.preview;
    if (panel.hidden) return;
    const whole = this.full.whole(this.variable);
    const shown = this.field.window;
    const step = Math.max(1, Math.round((whole.x1 * whole.y1) ** 0.5 / (shown.x1 * shown.y1) ** 0.5));
    const cost = this.full.fieldCost(this.variable, this.at, whole);
    const words = isDear(cost) ? "Zoom in, then load what is in view." : `All of it is ${counted(cost.requests, "chunk")}, about ${formatBytes(cost.bytes)}.`;
    const cells = step > 1 ? ` of every ${step}${["th", "st", "nd", "rd"][step] ?? "th"} cell` : "";
    find("detail-text").textContent = `A preview${cells}${this.#levels()}. ${words}`;
  }

  /** Where the preview lies along dimensions of which it holds one place. */
  #levels() {
    const { others } = this.preview.variable(this.variable.name);
    const gone = this.axes.filter(({ name, size }) => size > 1 && !others.includes(name));
    return gone.length ? ` at ${gone.map((axis) => `${axis.name} ${axis.label(this.at[axis.name])}`).join(", ")}` : "";
  }

  /** Read out the cell under the pointer or the cursor. @param {number} cell */
  point(pointed, spoken = false) {
    if (!this.field) return;
    if (!spoken && pointed !== this.map.cursor) this.map.moveCursor(pointed);
    const { point } = this.state;
    const cell = pointed < 0 && point ? nearestCell(this.field.grid, point) : pointed;
    const units = formatUnits(this.variable.attrs.units);
    const value = cell < 0 ? NaN : this.field.values[cell];
    find("readout-value").textContent = cell < 0 ? "–" : formatValue(value);
    find("readout-units").textContent = Number.isFinite(value) ? units : "";
    find("readout-place").textContent = cell < 0 ? "Point at the map" : this.#placeText(cell);
    if (spoken) find("announce").textContent = `${formatValue(value)} ${Number.isFinite(value) ? units : ""}, ${this.#placeText(cell)}`;
  }

  #placeText(cell) {
    const { lat, lon } = placeOf(this.field, cell);
    if (this.map.geographic) return formatPlace(lat, lon);
    return `${this.variable.xDim} ${Number(lon.toPrecision(6))}, ${this.variable.yDim} ${Number(lat.toPrecision(6))}`;
  }

  /** @param {number} cell */
  pick(cell) {
    if (cell < 0 || !this.field) return;
    this.state.point = placeOf(this.field, cell);
    this.#address(true);
    this.#showPoint().catch((error) => this.#trouble(error));
  }

  async #showPoint() {
    const { point } = this.state;
    this.map.pin(point);
    this.point(-1);
    if (!point || !this.seriesAxis) return this.series.hide();
    const whole = await this.full.grid(this.variable);
    const window = this.full.whole(this.variable);
    const { iy, ix } = indicesOf({ grid: whole, values: null, window }, nearestCell(whole, point));
    const { full: source, variable, seriesAxis: axis, at } = this;
    await this.series.show({ source, variable, axis, at, iy, ix, place: point, geographic: this.map.geographic, title: this.#titleOf(variable) });
    this.#traffic();
  }

  #stage(state, words = "") {
    this.root.dataset.state = state;
    find("map").setAttribute("aria-busy", String(state === "loading" || state === "opening"));
    find("wait").hidden = state !== "loading" && state !== "opening";
    find("wait-text").textContent = words;
    find("ask").hidden = state !== "asking";
    find("trouble").hidden = state !== "trouble";
    this.#traffic();
  }

  #traffic() {
    if (!this.full) return;
    const [a, b] = [this.full.traffic, this.preview?.traffic ?? { requests: 0, bytes: 0 }];
    find("status").textContent = `${counted(a.requests + b.requests, "request")}, ${formatBytes(a.bytes + b.bytes)} read so far, straight from the store.`;
  }

  #trouble(error) {
    const { message, fix } = explain(error);
    this.timebar.stop();
    this.#stage("trouble");
    find("trouble-what").textContent = message;
    find("trouble-fix").textContent = fix;
    if (!(error instanceof StoreError) && !error?._tag) console.error(error);
  }
}
