// Shows one job: how far it is, its source and translation side by side, and what a reader should look at.

import { warningSentence } from "../causes.js";
import { byId, element, tell } from "../elements.js";
import { may } from "../session.js";
import { duration, languageName, priorityNames, stateOf } from "../wording.js";
import { marksInUnits } from "./alignment.js";
import { JobRows } from "./job_rows.js";
import { MarkLists, marksOf } from "./marks.js";
import { LOST, SEPARATOR, measuresOf, outcomeOf, textOf, waitOf } from "./outcomes.js";

export class JobView {
  #rows = new JobRows();
  #lists = new MarkLists();
  #shown = "";
  #mayCancel = false;

  allow(session) {
    this.#mayCancel = may(session, "translations:write");
    this.#shown = "";
  }

  // `entry`: of the list; `source`: null where it is not known; `live`: {job, text, trouble} as far as known.
  show(entry, source, live) {
    if (this.#shown !== entry.id) this.#begin(entry);
    const { job, result } = { job: live.job, result: live.job?.result };
    byId("job-facts").textContent = factsOf(entry, job);
    const done = job?.batches_done || (live.progress ? 1 : 0);
    const [state, tone] = stateOf(entry.status || job?.status, done, job?.stage);
    byId("job-status").textContent = state;
    byId("job-status").className = `pill ${tone}`;
    showProgress(entry, live);
    const lost = entry.status === "LOST" ? LOST : "";
    tell(byId("job-problem"), live.trouble || lost || (job ? outcomeOf(job).problem : ""));
    this.#showResult(entry, source, live);
    showWarnings(job?.is_finished ? outcomeOf(job).warnings : []);
    this.#showActions(entry, result);
  }

  #begin(entry) {
    this.#shown = entry.id;
    this.#rows.clear();
    byId("job-title").replaceChildren(element("bdi", {}, entry.title));
  }

  #showResult(entry, source, { job, text: streamed }) {
    const result = job?.result;
    const isDocument = entry.kind === "document";
    const text = isDocument ? "" : (textOf(result) ?? streamed);
    const marks = marksOf(result);
    const placed = marksInUnits(text, isDocument ? [] : marks);
    const others = isDocument ? marks.map((mark) => ({ ...mark, start: -1 })) : marks.filter((one) => one.start < 0);
    byId("job-rows").hidden = isDocument;
    if (!isDocument) {
      const languages = { source: languageOf(job, entry, "source"), target: entry.target };
      this.#rows.show({ source, text, languages, marks: placed, status: entry.status });
    }
    this.#lists.show(entry.id, text, [...placed, ...others]);
  }

  #showActions(entry, result) {
    const isDocument = entry.kind === "document";
    const hasText = Boolean(textOf(result));
    byId("job-cancel").hidden = Boolean(entry.status) || !this.#mayCancel;
    byId("job-copy").hidden = !hasText || isDocument;
    byId("job-download").hidden = isDocument ? !entry.outcome?.file : !hasText;
    byId("job-file").hidden = !isDocument || !entry.outcome?.file;
    byId("job-file-name").textContent = entry.outcome?.file ?? "";
  }
}

function showProgress(entry, live) {
  const isRunning = !entry.status;
  byId("job-progress").hidden = !isRunning;
  if (!isRunning) return;
  const progress = Math.max(live.progress ?? 0, live.job?.progress ?? 0);
  if (progress) byId("job-bar").value = progress;
  else byId("job-bar").removeAttribute("value");
  byId("job-wait").textContent = waitOf(live.job, progress);
}

function showWarnings(warnings) {
  byId("job-warnings").hidden = warnings.length === 0;
  byId("job-warnings").replaceChildren(...warnings.map((one) => element("p", {}, warningSentence(one))));
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
  const facts = [pair, `${priorityNames[entry.priority]} priority`, ...measuresOf(entry, job)];
  if (entry.glossary) facts.push(`glossary ${entry.glossary}`);
  if (result?.timings_seconds?.total) facts.push(duration(result.timings_seconds.total));
  if (result?.cached_share) facts.push(`${Math.round(100 * result.cached_share)} % remembered`);
  if (typeof result?.confidence === "number") facts.push(`confidence ${result.confidence.toFixed(2)}`);
  return facts.join(SEPARATOR);
}
