// One chart: lines, or bars on one another. Drag zooms, a click or Enter opens the jobs of a step, arrow keys walk.

import { tone, valueOf } from "./colors.js";
import { element } from "./elements.js";
import { stacked, sums } from "./series.js";
import { clockOf, momentOf, stepText, written } from "./units.js";

const HEIGHT = 190;
const SYNC = "page";

// `data` is {panel, answer, now: {times, series}, before: {times, series} or null}; `on` has zoom(from, to),
// jobs(from, to) and hover(place or null).
export class Chart {
  constructor(host, data, colors, on) {
    this.on = on;
    this.host = host;
    this.colors = colors;
    this.data = data;
    this.place = null;
    this.slider = element("div", { className: "plot", tabIndex: 0, role: "slider", "aria-label": data.panel.title, "aria-orientation": "horizontal" });
    host.replaceChildren(this.slider);
    this.slider.addEventListener("keydown", (event) => this.#key(event));
    this.slider.addEventListener("blur", () => this.on.hover(null));
    this.watcher = new ResizeObserver(() => this.#resize());
    this.watcher.observe(host);
    this.draw();
  }

  // Draws anew: after a change of colours, or of what is hidden.
  draw() {
    this.plot?.destroy();
    const { place } = this;
    this.plot = new globalThis.uPlot(this.#options(), this.#columns(), this.slider);
    this.slider.setAttribute("aria-valuemin", 0);
    this.slider.setAttribute("aria-valuemax", Math.max(this.data.now.times.length - 1, 0));
    this.#tell(place ?? this.data.now.times.length - 1);
    this.#click();
    // Who walks with the keyboard stays where they are.
    if (place !== null && document.activeElement === this.slider) this.#goTo(Math.min(place, this.data.now.times.length - 1));
  }

  close() {
    this.watcher.disconnect();
    this.plot?.destroy();
  }

  get #isStacked() {
    return this.data.panel.kind === "bars";
  }

  get step() {
    return this.data.answer.step;
  }

  #columns() {
    const { now, before } = this.data;
    if (!this.#isStacked) {
      return [now.times, ...now.series.map((one) => one.values), ...(before?.series ?? []).map((one) => one.values)];
    }
    const layers = stacked(now.series).reverse();
    return [now.times, ...layers, ...(before ? [sums(before.series, now.times.length)] : [])];
  }

  #options() {
    const { now, before, panel } = this.data;
    const drawn = this.#isStacked ? [...now.series].reverse() : now.series;
    const earlier = !before ? [] : this.#isStacked ? [{ name: "before" }] : before.series;
    return {
      width: Math.max(this.host.clientWidth, 200),
      height: HEIGHT,
      padding: [8, 22, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        points: { show: !this.#isStacked, size: 7 },
        drag: { x: true, y: false, setScale: false },
        sync: { key: SYNC, filters: { pub: (type) => type === "mousemove" || type === "mouseleave" } },
      },
      scales: { x: { time: true, range: this.#span() }, y: { range: (_plot, least, most) => rangeOf(panel.unit, least, most) } },
      axes: this.#axes(),
      series: [{}, ...drawn.map((one) => this.#series(one)), ...earlier.map((one) => this.#earlier(one))],
      hooks: { setSelect: [(plot) => this.#zoomed(plot)], setCursor: [(plot) => this.#moved(plot)] },
    };
  }

  #span() {
    const { times } = this.data.now;
    const { from, to } = this.data.answer;
    const half = this.#isStacked ? this.step / 2 : 0;
    return [Math.min(from, times[0] ?? from) - half, Math.max(to, (times.at(-1) ?? to) + half)];
  }

  #axes() {
    const line = { stroke: tone("soft"), font: `11px ${tone("ui")}`, ticks: { show: false } };
    const grid = { stroke: tone("grid"), width: 1 };
    const { unit } = this.data.panel;
    return [
      { ...line, grid: { show: false }, size: 26, space: 76, values: (_plot, ticks) => timesOf(ticks) },
      { ...line, grid, size: (_plot, values) => 14 + 6.4 * Math.max(3, ...(values ?? []).map((one) => one.length)), space: 34, ...stepsOfUnit(unit), values: (_plot, ticks) => ticks.map((one) => written(unit, one)) },
    ];
  }

  #series({ name }) {
    const color = valueOf(this.colors.of(this.data.panel.series, name));
    if (this.#isStacked) {
      return { stroke: color, fill: color, width: 0, points: { show: false }, paths: globalThis.uPlot.paths.bars({ size: [0.82, 60], align: 0 }) };
    }
    const bridged = this.data.panel.bridges;
    return { stroke: color, width: 1.75, spanGaps: bridged, points: { size: 4, fill: color } };
  }

  #earlier({ name }) {
    const color = this.#isStacked ? tone("ink") : valueOf(this.colors.of(this.data.panel.series, name));
    return { stroke: color, alpha: 0.55, width: 1.25, dash: [4, 4], spanGaps: this.data.panel.bridges, points: { show: false } };
  }

  #moved(plot) {
    const place = plot.cursor.idx ?? null;
    if (place === this.place) return;
    this.place = place;
    this.on.hover(place);
    if (place !== null) this.#tell(place);
  }

  #tell(place) {
    const { now, panel } = this.data;
    if (!(place in now.times)) return;
    const values = now.series.map((one) => `${one.name} ${written(panel.unit, one.values[place])}`);
    this.slider.setAttribute("aria-valuenow", place);
    this.slider.setAttribute("aria-valuetext", `${stepText(now.times[place], this.step)}: ${values.join(", ")}`);
  }

  #zoomed(plot) {
    const { left, width } = plot.select;
    if (width < 6) return;
    const [from, to] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.on.zoom(Math.floor(from), Math.max(Math.ceil(to), Math.floor(from) + 60));
  }

  #click() {
    let pressed = 0;
    this.plot.over.addEventListener("mousedown", (event) => (pressed = event.clientX));
    this.plot.over.addEventListener("click", (event) => {
      if (Math.abs(event.clientX - pressed) < 6) this.#open(this.plot.cursor.idx);
    });
    if (this.data.panel.jobs) this.plot.over.classList.add("opens");
  }

  #open(place) {
    const start = this.data.now.times[place];
    if (start !== undefined && this.data.panel.jobs) this.on.jobs(start, start + this.step);
  }

  #key(event) {
    const last = this.data.now.times.length - 1;
    const from = this.place ?? last + 1;
    const moves = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last, PageUp: from - 10, PageDown: from + 10 };
    if (event.key === "Enter" && this.place !== null) this.#open(this.place);
    else if (event.key in moves) this.#goTo(Math.min(Math.max(moves[event.key], 0), last));
    else return;
    event.preventDefault();
  }

  #goTo(place) {
    const left = this.plot.valToPos(this.data.now.times[place], "x");
    this.plot.setCursor({ left, top: 10 });
  }

  #resize() {
    const width = this.host.clientWidth;
    if (width > 0 && Math.abs(width - this.plot.width) > 1) this.plot.setSize({ width, height: HEIGHT });
  }
}

// Shares reach to all of it; everything else begins at nothing.
function rangeOf(unit, least, most) {
  if (unit === "share" && most > 0.5 && least !== null) {
    const room = Math.max((1 - least) * 1.15, 0.01);
    return [Math.max(0, 1 - room), 1 + room * 0.04];
  }
  return [Math.min(0, least ?? 0), (most ?? 0) > 0 ? most * 1.08 : 1];
}

function timesOf(ticks) {
  const isShort = ticks.length < 2 || ticks.at(-1) - ticks[0] < 172_800;
  return ticks.map((tick) => {
    const date = new Date(tick * 1000);
    const isMidnight = date.getHours() === 0 && date.getMinutes() === 0;
    if (isShort && !isMidnight) return clockOf(tick);
    return isMidnight || !isShort ? momentOf(tick).split(",")[0] : clockOf(tick);
  });
}

// Times are counted in sixties, and there is no half of an answer.
function stepsOfUnit(unit) {
  if (unit === "count" || unit === "words") return { incrs: Array.from({ length: 36 }, (_, n) => [1, 2, 5][n % 3] * 10 ** Math.floor(n / 3)) };
  const seconds = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 172_800, 432_000, 864_000];
  return unit === "seconds" ? { incrs: seconds } : {};
}
