// What is told of a job, by what the API says of it. Pure.

import { holeCause, warningSentence } from "../causes.js";
import { count, duration, sentences, size } from "../wording.js";

// The dot stays at the end of its line.
export const SEPARATOR = "\u00a0· ";

// What the list remembers of an ended job, so that a row says the same after a reload without asking anybody.
export function outcomeOf(job) {
  const result = job.result;
  const about = result?.suspects.length ? new Set(result.suspects.map((one) => one.cause)) : new Set();
  return {
    words: result?.source_words || job.words,
    pages: job.document_info?.pages ?? null,
    bytes: result?.content_bytes || job.document_info?.content_bytes || 0,
    file: result?.file_name ?? "",
    holes: result?.holes.length ?? 0,
    suspects: result?.suspects.length ?? 0,
    warnings: result ? result.warnings.filter((one) => !about.has(one.cause)) : [],
    problem: problemOfResult(result),
  };
}

// An entry for a job that somebody names by its id.
export function entryOf(job) {
  const name = job.document_info?.file_name;
  return {
    id: job.job_id,
    title: name || `Translation ${job.job_id}`,
    kind: job.document_info ? "document" : "text",
    isFile: Boolean(job.document_info),
    source: job.source_language,
    target: job.target_language,
    priority: job.priority,
    at: Date.parse(job.submitted_at ?? "") || Date.now(),
    status: "",
  };
}

export function waitOf(job, progress) {
  const parts = [];
  if (progress) parts.push(`${Math.round(progress)} %`);
  if (job?.queue_position) parts.push(`${count(job.queue_position, "batch", "batches")} in the queue`);
  if (job?.estimated_completion_seconds) parts.push(`about ${duration(job.estimated_completion_seconds)} left`);
  return parts.join(SEPARATOR) || "Waiting for its turn";
}

// The translation of a text, or of several one after the other; null where there is none, and of documents.
export const textOf = (result) => result?.text ?? result?.translations?.map(({ text }) => text).join("\n\n") ?? null;

// Words, pages and size, as far as they are known.
export function measuresOf(entry, job) {
  const info = job?.document_info;
  const words = entry.outcome?.words || info?.word_count || job?.words;
  const pages = entry.outcome?.pages ?? info?.pages;
  const bytes = info?.content_bytes || entry.bytes;
  return [words && count(words, "word"), pages && count(pages, "page"), bytes && size(bytes)].filter(Boolean);
}

// What a reader should know of an ended job, sentence by sentence.
export function remarksOf({ holes, suspects, warnings }) {
  const said = [];
  if (holes) said.push(`${count(holes, "sentence")} could not be translated.`);
  if (suspects) said.push(`${count(suspects, "sentence")} should be looked at.`);
  return [...said, ...warnings.map(warningSentence)];
}

export const LOST = "The server knows this job no longer: results are kept for a limited time.";

function problemOfResult(result) {
  if (!result?.error) return "";
  const parts = [holeCause(result.error.cause), result.error.message ?? ""];
  return parts.map((message) => sentences({ message })).join(" ").trim();
}
