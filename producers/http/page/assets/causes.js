// Says in words what the codes of the platform mean: why a sentence is a hole, why somebody should look at it. Pure.

const HOLES = {
  empty_translation: "the engine gave an empty translation",
  repetition_loop: "the engine repeated itself",
  truncated: "the engine lost a part of the sentence",
  out_of_memory: "the sentence did not fit into the memory of the engine",
  out_of_time: "there was no time left to translate it",
  engine_error: "the engine failed",
  translation_too_large: "the translation is too large",
  not_translated: "the engine gave no answer",
  broken_codes: "bold words, links or fields could not be put back into it",
};

// `alone`: what is said of one place; `many(count)`: of the whole, where the places are not known.
const WARNINGS = {
  figures_differ: ["a number is missing, was added or has another value", "with numbers that differ"],
  spans_differ: ["an address, a tag or a placeholder is not one of the source", "with addresses or tags that differ"],
  brackets_differ: ["its brackets do not match", "with brackets that do not match"],
  source_repeated: ["it may not be translated: it repeats the source", "that repeat their source"],
  unlikely_length: ["it is much longer than its source", "much longer than their source"],
  too_many_spans: ["it has too much mark-up to be translated", "with too much mark-up to be translated"],
};

const DOCUMENT_WARNINGS = {
  glossary_not_used: "The glossary was not used: the text is in another language than its terms.",
  named_text_kept: "Texts that a formula, a filter or a list refers to were kept as they are.",
  page_without_text: "Pages without text were left out. Where they are scans, run text recognition (OCR) first.",
};

const plain = (cause) => cause.replaceAll("_", " ");

export const holeCause = (cause) => HOLES[cause] ?? plain(cause);

export const suspectCause = (cause) => WARNINGS[cause]?.[0] ?? plain(cause);

// Says a warning of a whole job, {cause, count, place}, in a sentence.
export function warningSentence({ cause, count, place }) {
  const where = place ? ` First: ${place}.` : "";
  if (WARNINGS[cause]) return `${count} ${count === 1 ? "sentence" : "sentences"} ${WARNINGS[cause][1]}.`;
  const known = DOCUMENT_WARNINGS[cause] ?? `${plain(cause)}.`;
  return count > 1 ? `${known} (${count}.)${where}` : `${known}${where}`;
}
