// A table that sorts. A click on a name that filters sets the filter; a first column of steps opens their jobs.
// `withBars` gives the first column of words bars.

import { element } from "./elements.js";
import { isNumeric, written } from "./units.js";

const FIRST_ROWS = 12;

export function withBars(columns, rows) {
  const place = columns.findIndex(({ unit }) => unit === "words");
  const most = Math.max(1, ...rows.map((row) => row[place] ?? 0));
  return columns.map((column, at) => (at === place ? { ...column, hasBar: true, most } : column));
}

// `columns`: {name, title, unit, filters}, and `write` where its unit does not say how a value is written. `sorting`: {place, isDown} of this table, kept by its owner. `on` has
// filter(name, value) and, for steps, open(row).
export class Table {
  constructor(title, columns, rows, sorting, on) {
    Object.assign(this, { title, columns, rows, sorting, on });
    this.body = element("tbody");
    this.heads = columns.map((column, place) => this.#head(column, place));
    const table = element("table", {}, element("caption", { className: "unseen", textContent: title }));
    table.append(element("thead", {}, element("tr", {}, ...this.heads)), this.body);
    this.more = element("button", { type: "button", className: "quiet small more" });
    this.more.addEventListener("click", () => {
      this.sorting.isOpen = true;
      this.#fill();
    });
    const scroller = element("div", { className: "scroller", tabIndex: 0, role: "group", "aria-label": title }, table);
    this.view = element("div", { className: "table" }, scroller, this.more);
    this.#fill();
  }

  #head({ title, unit }, place) {
    const button = element("button", { type: "button", className: "sort", textContent: title });
    button.addEventListener("click", () => this.#sort(place));
    return element("th", { scope: "col", className: isNumeric(unit) ? "number" : "" }, button);
  }

  #sort(place) {
    const isName = this.columns[place].unit === "text";
    this.sorting.isDown = this.sorting.place === place ? !this.sorting.isDown : !isName;
    this.sorting.place = place;
    this.#fill();
  }

  #fill() {
    const { place, isDown, isOpen } = this.sorting;
    this.heads.forEach((head, at) => {
      if (at === place) head.setAttribute("aria-sort", isDown ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    const sorted = place === undefined ? this.rows : [...this.rows].sort((a, b) => compare(a[place], b[place]) * (isDown ? -1 : 1));
    const shown = isOpen ? sorted : sorted.slice(0, FIRST_ROWS);
    this.body.replaceChildren(...shown.map((row) => element("tr", {}, ...this.columns.map((column, at) => this.#cell(column, row, at)))));
    this.more.hidden = shown.length === sorted.length;
    this.more.textContent = `Show all ${sorted.length}`;
  }

  #cell(column, row, at) {
    const { unit, filters, opens } = column;
    const text = column.write ? column.write(row[at]) : written(unit, row[at]);
    const cell = element("td", { className: isNumeric(unit) ? "number" : "" });
    if (opens || (filters && row[at])) {
      const button = element("button", { type: "button", className: "link", textContent: text });
      if (filters) button.title = `Show only ${text}`;
      button.addEventListener("click", () => (opens ? this.on.open(row) : this.on.filter(filters, row[at])));
      cell.append(button);
    } else cell.textContent = text;
    if (column.hasBar) cell.append(bar(row[at] / column.most));
    return cell;
  }

}

function bar(share) {
  const made = element("span", { className: "bar", "aria-hidden": "true" });
  made.style.setProperty("--share", `${Math.round(Math.max(share, 0) * 1000) / 10}%`);
  return made;
}

// What is not known stands last in both directions.
function compare(a, b) {
  if (a === null || b === null) return (a === null) - (b === null);
  return typeof a === "string" ? a.localeCompare(b) : a - b;
}
