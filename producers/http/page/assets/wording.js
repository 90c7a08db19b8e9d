// Says in words what the API says in codes, numbers and language tags. Pure.

const STATUSES = {
  COMPLETED: "Done",
  PARTIAL: "Done, with gaps",
  FAILED: "Failed",
  CANCELLED: "Cancelled",
  EXPIRED: "Expired",
  LOST: "No longer there",
};

// Of documents; other stages are told by what is translated already.
const STAGES = { EXTRACTING: "Reading the file", MERGING: "Writing the file" };

export const priorityNames = { standard: "Standard", high: "High", critical: "Critical" };

const languageNames = new Intl.DisplayNames(["en"], { type: "language", fallback: "code" });
const numbers = new Intl.NumberFormat("en");
const RIGHT_TO_LEFT = new Set(["ar", "arc", "ckb", "dv", "fa", "he", "ks", "nqo", "ps", "sd", "syr", "ug", "ur", "yi"]);
const RIGHT_TO_LEFT_SCRIPTS = new Set(["Adlm", "Arab", "Hebr", "Nkoo", "Rohg", "Syrc", "Thaa"]);

export function languageName(tag) {
  if (!tag || tag === "auto") return "Detected language";
  try {
    return languageNames.of(tag);
  } catch {
    return tag;
  }
}

// Returns rtl or ltr; the letters of a name in a text must not turn the whole text around.
export function directionOf(tag) {
  if (!tag || tag === "auto") return "auto";
  const [language, ...parts] = tag.split("-");
  const script = parts.find((part) => part.length === 4);
  const isRightToLeft = script ? RIGHT_TO_LEFT_SCRIPTS.has(script) : RIGHT_TO_LEFT.has(language);
  return isRightToLeft ? "rtl" : "ltr";
}

// Returns the state of a job in a word or two, and its tone: busy, good, fair or bad. `stage`: of one that runs.
export function stateOf(status, batchesDone = 0, stage = "") {
  if (status === "COMPLETED") return [STATUSES[status], "good"];
  if (status === "PARTIAL") return [STATUSES[status], "fair"];
  if (STATUSES[status]) return [STATUSES[status], "bad"];
  return [STAGES[stage] ?? (batchesDone ? "Translating" : "Waiting"), "busy"];
}

export function count(number, one, many = `${one}s`) {
  return `${numbers.format(number)} ${number === 1 ? one : many}`;
}

export const number = (value) => numbers.format(value);

// Megabytes as people count them: powers of ten.
export function size(bytes) {
  if (bytes < 1000) return count(bytes, "byte");
  if (bytes < 1e6) return `${numbers.format(Math.round(bytes / 1e3))} kB`;
  return `${numbers.format(Math.round(bytes / 1e5) / 10)} MB`;
}

export function duration(seconds) {
  if (seconds < 10) return `${Math.max(Math.round(10 * seconds) / 10, 0.1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

export function moment(milliseconds) {
  const at = new Date(milliseconds);
  const isToday = at.toDateString() === new Date().toDateString();
  const style = isToday ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" };
  return new Intl.DateTimeFormat(undefined, style).format(at);
}

export const day = (date) => new Intl.DateTimeFormat(undefined, { dateStyle: "medium" }).format(new Date(date));

// Makes a sentence of an error: what is wrong, what would be allowed, what to do.
export function sentences(error) {
  const parts = [sentence(error.message)];
  if (error.limit) parts.push(`Allowed: ${error.limit}.`);
  if (error.cure) parts.push(sentence(error.cure));
  return parts.join(" ");
}

function sentence(text) {
  const whole = text.trim();
  return whole ? whole[0].toUpperCase() + whole.slice(1) + (/[.!?]$/.test(whole) ? "" : ".") : "";
}
