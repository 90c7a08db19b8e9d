// The sentences of a result that somebody should look at: holes, which could not be translated, and suspects, which
// are translated and may be wrong. They are marked in the text, and listed with their causes.

import { holeCause, suspectCause } from "../causes.js";
import { byId, element, tell } from "../elements.js";
import { count } from "../wording.js";

// Returns [{isHole, segment, cause, start, length, unit, place}]; positions in code points, -1 where there is none.
export function marksOf(result) {
  const holes = (result?.holes ?? []).map((hole) => ({ ...hole, isHole: true }));
  const suspects = (result?.suspects ?? []).map((suspect) => ({ ...suspect, isHole: false }));
  // A place in one of several texts says nothing about the whole.
  return [...holes, ...suspects].map((mark) => (mark.unit < 0 ? mark : { ...mark, start: -1, length: -1 }));
}

export const causeOf = (mark) => (mark.isHole ? holeCause(mark.cause) : suspectCause(mark.cause));

// The words of a piece, as a mark where it has one. `what` says what it is; `isTarget`: lists lead to it.
export function marked({ text, mark }, isTarget) {
  if (!mark) return text;
  const what = mark.isHole ? (isTarget ? "not translated" : "stays as it is") : "look at this";
  const cause = `${what}: ${causeOf(mark)}`;
  const told = element("span", { className: "unseen" }, ` (${cause})`);
  const className = mark.isHole ? "hole" : "suspect";
  return element("mark", { title: cause, className, ...(isTarget && { id: idOf(mark), tabIndex: -1 }) }, text, told);
}

// Draws both lists. `text` and the places in it are in UTF-16 units; marks without a place are told by `place`.
export class MarkLists {
  #looks = "";

  // Drawn anew only where they changed: whoever walks through them by keyboard must not lose their place.
  show(id, text, marks) {
    const looks = JSON.stringify([id, marks]);
    if (looks === this.#looks) return;
    this.#looks = looks;
    const holes = marks.filter((mark) => mark.isHole);
    const suspects = marks.filter((mark) => !mark.isHole);
    const stay = holes.length === 1 ? "stays" : "stay";
    draw("holes", text, holes, `could not be translated and ${stay} in the source language.`);
    draw("suspects", text, suspects, "should be looked at.");
  }
}

const idOf = (mark) => `${mark.isHole ? "hole" : "suspect"}-${mark.segment}`;

function draw(name, text, marks, what) {
  tell(byId(`job-${name}-title`), marks.length ? `${count(marks.length, "sentence")} ${what}` : "");
  byId(`job-${name}`).hidden = marks.length === 0;
  byId(`job-${name}-list`).replaceChildren(...marks.map((mark) => line(text, mark)));
}

function line(text, mark) {
  const cause = [` – ${causeOf(mark)} `, element("code", {}, mark.cause)];
  if (mark.start < 0) return element("li", {}, element("bdi", {}, mark.place || `Sentence ${mark.segment + 1}`), ...cause);
  const words = element("bdi", {}, text.slice(mark.start, mark.end));
  const link = element("button", { type: "button", className: "link" }, words);
  link.addEventListener("click", () => byId(idOf(mark))?.focus());
  return element("li", {}, link, ...cause);
}
