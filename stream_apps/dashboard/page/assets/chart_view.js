// A chart with its legend, or the same figures as a table.

import { Chart } from "./chart.js";
import { valueOf } from "./colors.js";
import { element } from "./elements.js";
import { columnsOf } from "./series.js";
import { Table } from "./table_view.js";
import { adds, stepText, written } from "./units.js";

// What a chart shows: its columns, and those of the period before at the same steps.
export function chartData(panel, answer, hidden) {
  const isStacked = panel.kind === "bars";
  const all = columnsOf(answer, isStacked);
  if (!isStacked && panel.adds && adds(panel.unit)) forgetHalfSteps(all, answer);
  const shown = (one) => !hidden.has(one.name);
  const before = answer.before && columnsOf(answer, isStacked, answer.before);
  const places = before && before.times.map((t) => all.times.indexOf(t));
  const moved = (one) => ({ ...one, values: valuesAt(one.values, places, all.times.length, isStacked) });
  return {
    panel,
    answer,
    all,
    now: { times: all.times, series: all.series.filter(shown) },
    before: before && { series: before.series.filter(shown).map(moved) },
  };
}

// A sum of a step that is not over would look like a fall.
function forgetHalfSteps({ times, series }, { to, step }) {
  const last = times.length - 1;
  if (last > 0 && times[last] + step > to) series.forEach((one) => (one.values[last] = null));
}

function valuesAt(values, places, length, isStacked) {
  const found = new Array(length).fill(isStacked ? 0 : null);
  places.forEach((place, at) => {
    if (place >= 0) found[place] = values[at];
  });
  return found;
}

export class ChartView {
  constructor(panel, colors, hidden, on) {
    Object.assign(this, { panel, colors, hidden, on });
    this.host = element("div", { className: "chart" });
    this.legend = element("ul", { className: "legend" });
    this.when = element("p", { className: "when", "aria-hidden": "true" });
    this.view = element("div", { className: "chart-view" }, this.host, element("div", { className: "under" }, this.legend, this.when));
  }

  show(answer) {
    this.answer = answer;
    this.data = chartData(this.panel, answer, this.hidden);
    // The largest chooses its colour first.
    this.data.all.series.forEach((one) => this.colors.of(this.panel.series, one.name));
    if (this.chart) {
      this.chart.data = this.data;
      this.chart.draw();
    } else this.chart = new Chart(this.host, this.data, this.colors, { ...this.on, hover: (place) => this.#hovered(place) });
    this.#listSeries(null);
  }

  close() {
    this.chart?.close();
  }

  #hovered(place) {
    this.when.textContent = place === null ? "" : stepText(this.data.now.times[place], this.chart.step);
    const values = this.legend.querySelectorAll(".value");
    this.data.all.series.forEach((one, at) => {
      if (values[at]) values[at].textContent = this.#valueText(one, place);
    });
  }

  #valueText(one, place) {
    if (place !== null) return written(this.panel.unit, one.values[place]);
    return this.panel.adds && adds(this.panel.unit) && this.panel.kind === "bars" ? written(this.panel.unit, one.total) : "";
  }

  #listSeries(place) {
    this.legend.replaceChildren(...this.data.all.series.map((one) => element("li", {}, this.#seriesButton(one, place))));
    if (this.answer.before) this.legend.append(element("li", { className: "before", textContent: "dashed: before" }));
  }

  #seriesButton(one, place) {
    const swatch = element("span", { className: "swatch", "aria-hidden": "true" });
    swatch.style.setProperty("--color", valueOf(this.colors.of(this.panel.series, one.name)));
    const value = element("span", { className: "value", textContent: this.#valueText(one, place) });
    const button = element("button", { type: "button", className: "entry", "aria-pressed": String(!this.hidden.has(one.name)), title: "Show or hide" }, swatch, one.name, " ", value);
    button.addEventListener("click", () => {
      if (!this.hidden.delete(one.name)) this.hidden.add(one.name);
      this.show(this.answer);
    });
    return button;
  }
}

// The same figures as rows: the newest step first.
export function chartTable(panel, answer, sorting, on) {
  const { times, series } = columnsOf(answer, panel.kind === "bars");
  const { step } = answer;
  const columns = [
    { name: "t", title: "Step", unit: "time", opens: Boolean(panel.jobs), write: (t) => stepText(t, step) },
    ...series.map(({ name }) => ({ name, title: name, unit: panel.unit })),
  ];
  const rows = times.map((t, place) => [t, ...series.map((one) => one.values[place])]).reverse();
  return new Table(panel.title, columns, rows, sorting, { ...on, open: ([t]) => on.jobs(t, t + step) });
}
