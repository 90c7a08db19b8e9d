// The figures of a page at a glance, each with its change against the period before.

import { element } from "./elements.js";
import { change, written } from "./units.js";

export function numbersView(panel, answer) {
  const row = answer.rows[0] ?? [];
  const before = answer.before?.[0] ?? null;
  const figures = panel.columns.map((column, place) => figure(column, row[place] ?? null, before && before[place]));
  return element("dl", { className: "figures" }, ...figures);
}

function figure(column, value, before) {
  const shown = element("div", {}, element("dt", { textContent: column.title }), element("dd", { textContent: written(column.unit, value) }));
  if (before === null) return shown;
  const found = change(value, before, column.better);
  const text = found ? `${found.text} ` : "";
  const was = element("span", { className: "was", textContent: `before: ${written(column.unit, before)}` });
  shown.append(element("dd", { className: `change ${found?.mood ?? ""}` }, text, was));
  return shown;
}
