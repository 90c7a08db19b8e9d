// Shows one job: how far it is, and its source and translation side by side.

import { alignedRows, holesInUnits, markedPieces, markedSource } from "./alignment.js";
import { byId, element, tell } from "./elements.js";
import { count, directionOf, duration, holeCause, languageName, priorityNames, sentences, stateOf } from "./wording.js";

// The dot stays at the end of its line.
const SEPARATOR = "\u00a0· ";

export class JobView {
  #rows = [];
  #holes = "";
  #shown = "";

  // `entry`: of the list; `source`: null where it is not known; `live`: {job, text, trouble} as far as known.
  show(entry, source, live) {
    if (this.#shown !== entry.id) this.#begin(entry);
    const { job, result } = { job: live.job, result: live.job?.result };
    byId("job-facts").textContent = factsOf(entry, job);
    const [state, tone] = stateOf(entry.status || job?.status, doneOf(live));
    byId("job-status").textContent = state;
    byId("job-status").className = `pill ${tone}`;
    this.#showProgress(entry, live);
    tell(byId("job-problem"), problemOf(entry, result, live.trouble));
    const text = result?.text ?? live.text;
    const holes = holesInUnits(text, result?.holes ?? []);
    this.#showRows(entry, job, source, text, holes);
    this.#showHoles(text, holes);
    byId("job-cancel").hidden = Boolean(entry.status);
    for (const id of ["job-copy", "job-download"]) byId(id).hidden = !result?.text;
  }

  #begin(entry) {
    this.#shown = entry.id;
    this.#rows = [];
    byId("job-rows").replaceChildren();
    byId("job-title").replaceChildren(element("bdi", {}, entry.title));
  }

  // Drawn anew only where they changed: whoever walks through them by keyboard must not lose their place.
  #showHoles(text, holes) {
    const looks = JSON.stringify([this.#shown, holes]);
    if (looks === this.#holes) return;
    this.#holes = looks;
    drawHoles(text, holes);
  }

  #showProgress(entry, live) {
    const isRunning = !entry.status;
    byId("job-progress").hidden = !isRunning;
    if (!isRunning) return;
    const progress = Math.max(live.progress ?? 0, live.job?.progress ?? 0);
    if (progress) byId("job-bar").value = progress;
    else byId("job-bar").removeAttribute("value");
    byId("job-wait").textContent = waitOf(live.job, progress);
  }

  #showRows(entry, job, source, text, holes) {
    const isWhole = Boolean(entry.status);
    const rows = source === null ? [{ source, target: text, start: 0 }] : alignedRows(source, text, isWhole);
    const languages = { source: languageOf(job, entry, "source"), target: entry.target };
    const table = byId("job-rows");
    table.classList.toggle("alone", source === null);
    if (!table.firstChild) table.append(headOf(languages, source === null));
    headOfSource(table, languages.source);
    const [, ...drawn] = table.children;
    const looks = `${entry.status} ${languages.source} ${holes.length}`;
    rows.forEach((row, index) => {
      row.looks = looks;
      // A long text has thousands of rows, and each part of it changes a few.
      if (drawn[index] && isSame(row, this.#rows[index])) return;
      const made = rowOf(row, languages, holes, isWhole);
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

function rowOf({ source, target, start }, languages, holes, isFinished) {
  const pieces = markedPieces(target ?? "", start, holes);
  const cells = [];
  if (source !== null) {
    const words = markedSource(source, pieces).map(({ text, hole }) => marked(text, hole, "stays as it is"));
    cells.push(cell(languages.source, "source", words));
  }
  const words = pieces.map(({ text, hole }) => marked(text, hole, "not translated", hole && `hole-${hole.segment}`));
  const isAwaited = !isFinished && !target && source !== "";
  cells.push(isAwaited ? element("div", { role: "cell", className: "awaited" }) : cell(languages.target, "target", words));
  return element("div", { role: "row", className: source === "" ? "row blank" : "row" }, ...cells);
}

function cell(language, className, words) {
  const made = element("div", { role: "cell", className, dir: directionOf(language) }, ...words);
  if (language && language !== "auto") made.lang = language;
  return made;
}

function marked(text, hole, what, id = "") {
  if (!hole) return text;
  const cause = `${what}: ${holeCause(hole.cause)}`;
  const told = element("span", { className: "unseen" }, ` (${cause})`);
  // The list of holes leads to its mark.
  return element("mark", { title: cause, ...(id && { id, tabIndex: -1 }) }, text, told);
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

function drawHoles(text, holes) {
  const stay = holes.length === 1 ? "stays" : "stay";
  tell(
    byId("job-holes-title"),
    holes.length ? `${count(holes.length, "sentence")} could not be translated and ${stay} in the source language.` : "",
  );
  byId("job-holes").hidden = holes.length === 0;
  byId("job-holes-list").replaceChildren(
    ...holes.map((hole) => {
      const words = element("bdi", {}, text.slice(hole.start, hole.end));
      const link = element("button", { type: "button", className: "link" }, words);
      link.addEventListener("click", () => byId(`hole-${hole.segment}`)?.focus());
      return element("li", {}, link, ` – ${holeCause(hole.cause)} `, element("code", {}, hole.cause));
    }),
  );
}

function languageOf(job, entry, side) {
  const result = job?.result;
  const known = side === "source" && entry.source === "auto" ? result?.detected_language || job?.source_language : "";
  return known || entry[side];
}

function factsOf(entry, job) {
  const result = job?.result;
  const source = languageOf(job, entry, "source");
  const detected = entry.source === "auto" && source !== "auto" ? " (detected)" : "";
  const pair = `${languageName(source)}${detected} → ${languageName(entry.target)}`;
  const facts = [pair, `${priorityNames[entry.priority]} priority`];
  if (result?.source_words) facts.push(count(result.source_words, "word"));
  else if (job?.words) facts.push(count(job.words, "word"));
  if (result?.timings_seconds?.total) facts.push(duration(result.timings_seconds.total));
  if (result?.cached_share) facts.push(`${Math.round(100 * result.cached_share)} % remembered`);
  if (typeof result?.confidence === "number") facts.push(`confidence ${result.confidence.toFixed(2)}`);
  return facts.join(SEPARATOR);
}

const doneOf = (live) => live.job?.batches_done || (live.progress ? 1 : 0);

function waitOf(job, progress) {
  const parts = [];
  if (progress) parts.push(`${Math.round(progress)} %`);
  if (job?.queue_position) parts.push(`${count(job.queue_position, "batch", "batches")} in the queue`);
  if (job?.estimated_completion_seconds) parts.push(`about ${duration(job.estimated_completion_seconds)} left`);
  return parts.join(SEPARATOR) || "Waiting for its turn";
}

function problemOf(entry, result, trouble) {
  if (trouble) return trouble;
  if (entry.status === "LOST") return "The server knows this job no longer: results are kept for a limited time.";
  if (!result?.error) return "";
  const parts = [holeCause(result.error.cause), result.error.message ?? ""];
  return parts.map((message) => sentences({ message })).join(" ").trim();
}
