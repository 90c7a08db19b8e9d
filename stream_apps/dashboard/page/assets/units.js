// Writes numbers with their units, and times. Everything that is shown goes through here.

const LANGUAGE = "en";
const plain = (digits) => new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: digits });
const short = new Intl.NumberFormat(LANGUAGE, { notation: "compact", maximumSignificantDigits: 3 });

function number(value) {
  const size = Math.abs(value);
  if (size >= 100_000) return short.format(value);
  return plain(size >= 100 || Number.isInteger(value) ? 0 : size >= 1 ? 1 : 2).format(value);
}

function duration(seconds) {
  const size = Math.abs(seconds);
  if (size === 0) return "0 s";
  if (size < 0.9995) return `${plain(size < 0.01 ? 1 : 0).format(seconds * 1000)} ms`;
  if (size < 90) return `${plain(size < 10 ? 1 : 0).format(seconds)} s`;
  if (size < 5400) return `${plain(size < 600 ? 1 : 0).format(seconds / 60)} min`;
  if (size < 172_800) return `${plain(1).format(seconds / 3600)} h`;
  return `${plain(1).format(seconds / 86_400)} d`;
}

function money(value) {
  const size = Math.abs(value);
  const sign = value < 0 ? "-" : "";
  if (size >= 100_000) return `${sign}$${short.format(size)}`;
  if (size >= 1000) return `${sign}$${plain(0).format(size)}`;
  if (size === 0) return "$0";
  if (size >= 0.01) return `${sign}$${new Intl.NumberFormat(LANGUAGE, { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(size)}`;
  return `${sign}$${new Intl.NumberFormat(LANGUAGE, { maximumSignificantDigits: 2 }).format(size)}`;
}

function share(value) {
  const percent = value * 100;
  const isNearAll = percent > 99 && percent < 100;
  return `${plain(isNearAll || Math.abs(percent) < 1 ? 2 : 1).format(percent)} %`;
}

const FORMATS = {
  count: number,
  words: number,
  words_per_second: (value) => `${number(value)}/s`,
  seconds: duration,
  machines: number,
  hours: (value) => `${number(value)} h`,
  usd: money,
  usd_per_million_words: money,
  share,
  time: (value) => momentOf(value),
};

// The text of a value; a dash for what is not known.
export function written(unit, value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  // A hyphen before a number is read as a dash.
  return unit === "text" ? String(value) : FORMATS[unit](Number(value)).replace(/^-/, "−");
}

const NAMES = {
  words: "words",
  words_per_second: "words per second",
  machines: "machines",
  hours: "hours",
  usd: "US dollars",
  usd_per_million_words: "US dollars per million words",
};

export const unitName = (unit) => NAMES[unit] ?? "";
export const isNumeric = (unit) => unit !== "text" && unit !== "time";
// Whether values of several steps or series may be added.
export const adds = (unit) => ["count", "words", "usd", "hours"].includes(unit);

const moment = new Intl.DateTimeFormat(LANGUAGE, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const clock = new Intl.DateTimeFormat(LANGUAGE, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(LANGUAGE, { weekday: "short", day: "numeric", month: "short" });

export const momentOf = (seconds) => moment.format(seconds * 1000);
export const clockOf = (seconds) => clock.format(seconds * 1000);
export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

// A step of a chart: the day, or from when until when.
export function stepText(from, step) {
  if (step >= 86_400) return day.format(from * 1000);
  return `${day.format(from * 1000)}, ${clockOf(from)}–${clockOf(from + step)}`;
}

// How much more or less than before, and whether that is good: {text, mood}.
export function change(value, before, better) {
  if (value === null || !before) return null;
  const ratio = (value - before) / Math.abs(before);
  const mood = Math.abs(ratio) < 0.005 || !better ? "" : ratio > 0 === better > 0 ? "good" : "bad";
  const sign = ratio > 0.0005 ? "+" : ratio < -0.0005 ? "−" : "±";
  const size = ratio >= 9.995 && before > 0 ? `×${plain(0).format(value / before)}` : `${sign}${plain(Math.abs(ratio) < 0.1 ? 1 : 0).format(Math.abs(ratio) * 100)} %`;
  return { text: size, mood };
}
