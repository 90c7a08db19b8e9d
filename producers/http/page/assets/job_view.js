// Shows one job: how far it is, and its source and translation side by side.

import { alignedRows, holesInUnits, markedPieces, markedSource } from "./alignment.js";
import { byId, element, tell } from "./elements.js";
import { count, directionOf, duration, holeCause, languageName, priorityNames, sentences, stateOf } from "./wording.js";

// The dot stays at the end of its line.
const SEPARATOR = "\u00a0· ";

export class JobView {
  #rows = [];
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
    showHoles(text, holes);
    byId("job-cancel").hidden = Boolean(entry.status);
    for (const id of ["job-copy", "job-download"]) byId(id).hidden = !result?.text;
  }

  #begin(entry) {
    this.#shown = entry.id;
    this.#rows = [];
    byId("job-rows").replaceChildren();
    byId("job-title").replaceChildren(element("bdi", {}, entry.title));
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
    const rows = source === null ? [{ source: null, target: text, start: 0 }] : alignedRows(source, text, Boolean(entry.status));
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
      const made = rowOf(row, languages, holes, Boolean(entry.status));
      if (drawn[index]) drawn[index].replaceWith(made);
      else table.append(made);
    });
    for (const left of drawn.slice(rows.length)) left.remove();
    this.#rows = rows;
  }
}

function isSame(row, other) {
  return row.source === other.source && row.target === other.target && row.start === other.start && row.looks === other.looks;
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
  return element("mark", { title: cause, id, tabIndex: id ? -1 : undefined }, text, element("span", { className: "unseen" }, ` (${cause})`));
}

function headOf(languages, isAlone) {
  const names = isAlone ? [languageName(languages.target)] : [languageName(languages.source), languageName(languages.target)];
  const heads = names.map((name) => element("div", { role: "columnheader" }, name));
  return element("div", { role: "row", className: "row head" }, ...heads);
}

function headOfSource(table, language) {
  const heads = table.firstChild.children;
  if (heads.length > 1) heads[0].textContent = languageName(language);
}

function showHoles(text, holes) {
  byId("job-holes").hidden = holes.length === 0;
  byId("job-holes-title").textContent =
    `${count(holes.length, "sentence")} could not be translated and ${holes.length === 1 ? "stays" : "stay"} in the source language.`;
  byId("job-holes-list").replaceChildren(
    ...holes.map((hole) => {
      const link = element("button", { type: "button", className: "link" }, element("bdi", {}, text.slice(hole.start, hole.end)));
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
  const facts = [`${languageName(source)}${detected} → ${languageName(entry.target)}`, `${priorityNames[entry.priority]} priority`];
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
