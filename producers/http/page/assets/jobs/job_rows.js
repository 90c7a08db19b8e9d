// The table that shows a source and its translation side by side.

import { byId, element } from "../elements.js";
import { directionOf, languageName } from "../wording.js";
import { alignedRows, markedPieces, markedSource } from "./alignment.js";
import { marked } from "./marks.js";

export class JobRows {
  #rows = [];

  clear() {
    this.#rows = [];
    byId("job-rows").replaceChildren();
  }

  // `source`: null where it is not known; `languages`: {source, target}; `status`: empty while parts are awaited.
  show({ source, text, languages, marks, status }) {
    const isWhole = Boolean(status);
    const rows = source === null ? [{ source, target: text, start: 0 }] : alignedRows(source, text, isWhole);
    const table = byId("job-rows");
    table.classList.toggle("alone", source === null);
    if (!table.firstChild) table.append(headOf(languages, source === null));
    headOfSource(table, languages.source);
    const [, ...drawn] = table.children;
    const looks = `${status} ${languages.source} ${marks.length}`;
    rows.forEach((row, index) => {
      row.looks = looks;
      // A long text has thousands of rows, and each part of it changes a few.
      if (drawn[index] && isSame(row, this.#rows[index])) return;
      const made = rowOf(row, languages, marks, isWhole);
      if (drawn[index]) drawn[index].replaceWith(made);
      else table.append(made);
    });
    for (const left of drawn.slice(rows.length)) left.remove();
    this.#rows = rows;
  }
}

function isSame(row, other) {
  return ["source", "target", "start", "looks"].every((name) => row[name] === other[name]);
}

function rowOf({ source, target, start }, languages, marks, isFinished) {
  const pieces = markedPieces(target ?? "", start, marks);
  const cells = [];
  if (source !== null) {
    const words = markedSource(source, pieces).map((piece) => marked(piece, false));
    cells.push(cell(languages.source, "source", words));
  }
  const words = pieces.map((piece) => marked(piece, true));
  const isAwaited = !isFinished && !target && source !== "";
  cells.push(isAwaited ? element("div", { role: "cell", className: "awaited" }) : cell(languages.target, "target", words));
  return element("div", { role: "row", className: source === "" ? "row blank" : "row" }, ...cells);
}

function cell(language, className, words) {
  const made = element("div", { role: "cell", className, dir: directionOf(language) }, ...words);
  if (language && language !== "auto") made.lang = language;
  return made;
}

function headOf(languages, isAlone) {
  const tags = isAlone ? [languages.target] : [languages.source, languages.target];
  const heads = tags.map((tag) => element("div", { role: "columnheader" }, languageName(tag)));
  return element("div", { role: "row", className: "row head" }, ...heads);
}

function headOfSource(table, language) {
  const heads = table.firstChild.children;
  if (heads.length > 1) heads[0].textContent = languageName(language);
}
