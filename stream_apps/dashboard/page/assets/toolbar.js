// Range, filters and switches. It shows the state and asks for another one; it keeps nothing itself.

import { panel as askPanel } from "./api.js";
import { byId, element } from "./elements.js";
import { FILTERS, RANGES, queryOf, secondsOf, showsThePresent, zoomedOut } from "./view_state.js";

const CUSTOM = "custom";
const ALL = { tenant: "All tenants", pair: "All pairs", priority: "All priorities", model: "All models" };

export class Toolbar {
  // `change(part of a state)` is called for each wish.
  constructor({ priorities, max_range_days: days }, change) {
    this.change = change;
    this.priorities = priorities;
    this.mostSeconds = days * 86_400;
    this.choices = { tenant: [], pair: [], model: [], priority: priorities };
    byId("range").append(...RANGES.map(([value, text]) => element("option", { value, textContent: text })), element("option", { value: CUSTOM, textContent: "Other…" }));
    byId("range").addEventListener("change", ({ target }) => this.#ranged(target.value));
    byId("zoom-out").addEventListener("click", () => this.change(zoomedOut(this.state, Date.now() / 1000, this.mostSeconds)));
    byId("clear").addEventListener("click", () => this.change(Object.fromEntries(FILTERS.map((name) => [name, ""]))));
    byId("compare").addEventListener("change", ({ target }) => this.change({ compare: target.checked ? "previous" : "" }));
    byId("live").addEventListener("change", ({ target }) => this.change({ live: target.checked ? "on" : "off" }));
    for (const name of FILTERS) byId(name).addEventListener("change", ({ target }) => this.change({ [name]: target.value }));
    byId("toolbar").addEventListener("submit", (event) => this.#typed(event));
  }

  show(state) {
    this.state = state;
    const isKnown = state.to === "now" && RANGES.some(([value]) => value === state.from);
    byId("range").value = isKnown ? state.from : CUSTOM;
    byId("custom").hidden = isKnown;
    const now = Date.now() / 1000;
    byId("from").value = local(secondsOf(state.from, now));
    byId("to").value = local(secondsOf(state.to, now));
    byId("compare").checked = state.compare === "previous";
    byId("live").checked = state.live === "on" && showsThePresent(state);
    byId("live").disabled = !showsThePresent(state);
    byId("clear").hidden = FILTERS.every((name) => !state[name]);
    for (const name of FILTERS) this.#list(name);
  }

  // Asks what there is to choose from in this range.
  async learn(state, signal) {
    const { rows } = await askPanel("choices", queryOf(state, { withFilters: false }), signal);
    for (const name of ["tenant", "pair", "model"]) {
      this.choices[name] = rows.filter(([filter]) => filter === name).map(([, value]) => value);
      this.#list(name);
    }
  }

  #list(name) {
    const chosen = this.state[name];
    const names = chosen && !this.choices[name].includes(chosen) ? [chosen, ...this.choices[name]] : this.choices[name];
    const select = byId(name);
    const key = JSON.stringify(names);
    if (select.dataset.names !== key) {
      select.dataset.names = key;
      select.replaceChildren(element("option", { value: "", textContent: ALL[name] }), ...names.map((value) => element("option", { value, textContent: value })));
    }
    select.value = chosen;
    select.classList.toggle("set", chosen !== "");
  }

  #ranged(value) {
    if (value !== CUSTOM) {
      this.change({ from: value, to: "now" });
      return;
    }
    byId("custom").hidden = false;
    byId("from").focus();
  }

  #typed(event) {
    event.preventDefault();
    const [from, to] = ["from", "to"].map((id) => Date.parse(byId(id).value) / 1000);
    if (!Number.isNaN(from) && !Number.isNaN(to)) this.change({ from: String(from), to: String(to) });
  }
}

// What an input of a local time holds.
function local(seconds) {
  if (!Number.isFinite(seconds)) return "";
  const date = new Date(seconds * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
