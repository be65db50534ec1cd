/** The home page's search: the form, the address and the cards say the same thing. */

import { element } from "../shared/dom.js";
import { counted } from "../shared/text.js";
import { makeCard } from "./cards.js";
import { Catalog } from "./catalog.js";
import { Facet } from "./facets.js";
import { Picker } from "./picker.js";
import { formatQuery, isEmpty, parseBox, parseQuery } from "./query.js";

const CARDS = 24;

const idle = globalThis.requestIdleCallback ?? ((task) => setTimeout(task, 0));

export class Search {
  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.form = form;
    [this.list, this.count, this.template, this.pages] = ["cards", "count", "card", "pages"].map((id) => document.getElementById(id));
    this.unfiltered = [...this.list.children];
    this.said = this.count.textContent;
    this.facets = [...form.querySelectorAll("fieldset[data-facet]")].map((each) => new Facet(each));
    this.picker = new Picker(form.elements.namedItem("bbox"), () => this.#asked(true));
    this.more = element("button", { type: "button", class: "button more", hidden: true, click: () => this.#append() }, "Show more");
    this.list.after(this.more);
    this.index = new URL(form.dataset.index ?? "search.json", document.baseURI).href;
  }

  /** Entries are fetched when someone is about to search, or when the address says a search. */
  start() {
    const { form } = this;
    form.addEventListener("submit", (event) => (event.preventDefault(), this.#asked(true)));
    form.addEventListener("input", (event) => this.#asked(event.target.type === "checkbox"));
    form.addEventListener("change", (event) => event.target.type !== "checkbox" && this.#asked(true));
    form.addEventListener("reset", () => setTimeout(() => this.#asked(true)));
    addEventListener("popstate", () => this.#follow());
    const filters = form.querySelector("details");
    if (filters && matchMedia("(min-width: 60rem)").matches) filters.open = true;
    if (!isEmpty(parseQuery(location.search))) return this.#follow();
    for (const event of ["focusin", "pointerenter"]) form.addEventListener(event, () => this.#load(), { once: true });
    idle(() => this.#load());
  }

  #load() {
    this.loading ??= this.#fetch();
    return this.loading;
  }

  async #fetch() {
    this.picker.draw();
    const response = await fetch(this.index).catch(() => null);
    if (!response?.ok) return this.#unavailable();
    this.catalog = new Catalog((await response.json()).entries);
    const { counts } = this.catalog.find(parseQuery(""));
    for (const facet of this.facets) facet.fill(counts[facet.name]);
    this.#show(this.#read(), false);
    const work = () => (this.catalog.indexMore() ? idle(work) : this.#indexed());
    idle(work);
  }

  #unavailable() {
    this.loading = null;
    this.count.textContent = "The search index could not be loaded. All datasets are listed below.";
  }

  /** Now that all is indexed, a search that was asked before may find more. */
  #indexed() {
    this.form.dataset.ready = "";
    if (!isEmpty(this.#read())) this.#show(this.#read(), true);
  }

  #value(name) {
    return /** @type {HTMLInputElement | null} */ (this.form.elements.namedItem(name))?.value.trim() ?? "";
  }

  /** @returns {import("./catalog.js").Query} */
  #read() {
    const typed = new URLSearchParams({ q: this.#value("q"), from: this.#value("from"), to: this.#value("to"), bbox: this.#value("bbox") });
    const facets = this.facets.map((facet) => [facet.name, this.catalog ? facet.chosen() : []]);
    return { ...parseQuery(typed.toString()), facets: Object.fromEntries(facets) };
  }

  #asked(finished) {
    if (!this.catalog) return void this.#load();
    const query = this.#read();
    this.#show(query, true);
    this.#address(query, finished);
  }

  /** A finished search is a step to go back to; the letters on the way to it are not. */
  #address(query, finished) {
    const to = formatQuery(query);
    const same = to === location.search;
    clearTimeout(this.typing);
    if (finished && !same) history.pushState(null, "", to || location.pathname);
    else if (!same) this.typing = setTimeout(() => history.replaceState(null, "", to || location.pathname), 200);
  }

  /** Show what the address says. */
  async #follow() {
    const query = parseQuery(location.search);
    for (const name of ["q", "from", "to"]) this.form.elements.namedItem(name).value = query[name];
    this.form.elements.namedItem("bbox").value = query.bbox?.join(", ") ?? "";
    await this.#load();
    if (this.catalog) this.#show(query, true);
  }

  #show(query, touchCards) {
    const { rows, counts } = this.catalog.find(query);
    for (const facet of this.facets) facet.show(counts[facet.name], query.facets[facet.name] ?? []);
    this.#checkBox();
    this.picker.show(query.bbox);
    if (touchCards) isEmpty(query) ? this.#restore() : this.#list(rows);
  }

  /** Say what is wrong with a box that is typed by hand. */
  #checkBox() {
    const input = /** @type {HTMLInputElement} */ (this.form.elements.namedItem("bbox"));
    const wrong = input.value.trim() !== "" && !parseBox(input.value);
    input.setAttribute("aria-invalid", String(wrong));
    input.setCustomValidity(wrong ? "Four numbers: west, south, east, north, in degrees." : "");
  }

  #restore() {
    this.rows = [];
    this.list.replaceChildren(...this.unfiltered);
    this.count.textContent = this.said;
    this.more.hidden = true;
    if (this.pages) this.pages.hidden = false;
  }

  #list(rows) {
    this.rows = rows;
    this.shown = 0;
    this.list.replaceChildren();
    if (this.pages) this.pages.hidden = true;
    this.count.textContent = rows.length ? counted(rows.length, "dataset") : "No dataset matches. Try fewer words or filters.";
    this.#append();
  }

  #append() {
    const next = this.rows.slice(this.shown, this.shown + CARDS);
    const cards = next.map((row) => makeCard(this.template, this.catalog.entries[row], this.index));
    this.list.append(...cards);
    if (this.shown) cards[0]?.querySelector("a[data-slot=title]")?.focus();
    this.shown += next.length;
    this.more.hidden = this.shown >= this.rows.length;
  }
}
