// The frame of one panel: its title, what it can be shown as, and what stands there while it waits, fails or is empty.

import { panelPath } from "./api.js";
import { ChartView, chartTable } from "./chart_view.js";
import { element, tell } from "./elements.js";
import { numbersView } from "./numbers_view.js";
import { Table, withBars } from "./table_view.js";
import { unitName } from "./units.js";
import { FILTERS } from "./view_state.js";

export class PanelCard {
  // `on`: zoom(from, to), jobs(kind, from, to), filter(name, value), retry(card).
  constructor(panel, colors, on) {
    Object.assign(this, { panel, colors, on });
    this.isChart = ["lines", "bars"].includes(panel.kind);
    this.isTable = false;
    this.sorting = {};
    this.hidden = new Set();
    this.body = element("div", { className: "body" });
    this.note = element("p", { className: "hint note" });
    this.csv = element("a", { className: "quiet small", textContent: "CSV", download: `${panel.id}.csv`, "aria-label": `${panel.title}: CSV` });
    this.view = element("section", { className: `card panel ${panel.kind}${panel.isWide ? " wide" : ""}`, "aria-labelledby": `title-${panel.id}` });
    this.view.append(this.#head(), this.note, this.body);
    this.waits();
  }

  #head() {
    const title = element("h2", { id: `title-${this.panel.id}`, textContent: this.panel.title });
    const unit = this.isChart ? unitName(this.panel.unit) : "";
    const tools = element("div", { className: "tools" });
    if (this.isChart) tools.append(this.#switch());
    tools.append(this.csv);
    return element("div", { className: "head" }, title, element("span", { className: "unit", textContent: unit }), tools);
  }

  #switch() {
    const button = element("button", { type: "button", className: "quiet small", textContent: "Table", "aria-pressed": "false", "aria-label": `${this.panel.title}: as a table` });
    button.addEventListener("click", () => {
      this.isTable = !this.isTable;
      button.setAttribute("aria-pressed", String(this.isTable));
      if (this.answer) this.shows(this.answer);
    });
    return button;
  }

  asks(query, filters) {
    const csv = new URLSearchParams(query);
    csv.set("format", "csv");
    this.csv.href = panelPath(this.panel.id, csv);
    this.isFiltered = FILTERS.some((name) => filters[name]);
    const unheard = this.panel.ignores.filter((name) => filters[name]);
    const warning = unheard.length ? `Not filtered by ${unheard.join(", ")}.` : "";
    tell(this.note, [this.panel.about, warning].filter(Boolean).join(" "));
    this.view.setAttribute("aria-busy", "true");
  }

  waits() {
    this.#put(element("p", { className: "state waiting", textContent: "Loading" }));
  }

  shows(answer) {
    this.answer = answer;
    this.view.removeAttribute("aria-busy");
    if (this.#isEmpty(answer)) {
      this.#put(element("p", { className: "state", textContent: this.isFiltered ? "Nothing in this range with these filters." : "Nothing in this range." }));
    } else if (this.isChart && !this.isTable) this.#draw(answer);
    else this.#put(this.#asRows(answer));
  }

  rests() {
    this.view.removeAttribute("aria-busy");
  }

  fails(problem) {
    this.view.removeAttribute("aria-busy");
    const again = element("button", { type: "button", className: "quiet small", textContent: "Try again" });
    again.addEventListener("click", () => this.on.retry(this));
    const cure = problem.cure ? `${problem.cure[0].toUpperCase()}${problem.cure.slice(1)}.` : "";
    this.answer = null;
    this.#put(element("div", { className: "state problem" }, element("p", { textContent: problem.message }), element("p", { textContent: cure }), again));
  }

  redraw() {
    if (this.answer) this.shows(this.answer);
  }

  close() {
    this.chart?.close();
    this.chart = null;
  }

  #isEmpty({ rows }) {
    return rows.length === 0 || (this.panel.kind === "numbers" && rows[0].every((one) => one === null));
  }

  #draw(answer) {
    if (!this.chart) {
      const jobs = (from, to) => this.on.jobs(this.panel.jobs, from, to);
      this.chart = new ChartView(this.panel, this.colors, this.hidden, { zoom: this.on.zoom, jobs });
      this.body.replaceChildren(this.chart.view);
    }
    this.chart.show(answer);
  }

  #asRows(answer) {
    if (this.panel.kind === "numbers") return numbersView(this.panel, answer);
    const on = { filter: this.on.filter, jobs: (from, to) => this.on.jobs(this.panel.jobs, from, to) };
    if (this.isChart) return chartTable(this.panel, answer, this.sorting, on).view;
    return new Table(this.panel.title, withBars(this.panel.columns, answer.rows), answer.rows, this.sorting, on).view;
  }

  #put(view) {
    this.close();
    this.body.replaceChildren(view);
  }
}
