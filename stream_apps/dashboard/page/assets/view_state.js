// What is shown, as the address says it: the page in its path, range, filters and comparison behind the question mark.
// An address can be sent to somebody, and "back" goes to what was shown before.

export const FILTERS = ["tenant", "pair", "priority", "model"];
export const RANGES = [
  ["now-1h", "Last hour"],
  ["now-6h", "Last 6 hours"],
  ["now-24h", "Last 24 hours"],
  ["now-7d", "Last 7 days"],
  ["now-30d", "Last 30 days"],
  ["now-90d", "Last 90 days"],
  ["now-365d", "Last 365 days"],
];
const DEFAULTS = { from: "now-24h", to: "now", tenant: "", pair: "", priority: "", model: "", compare: "", live: "on", jobs: "" };
const UNITS = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };

export function readState(location) {
  const page = location.pathname.split("/").at(-1);
  const given = new URLSearchParams(location.search);
  const known = Object.entries(DEFAULTS).map(([name, value]) => [name, given.get(name) ?? value]);
  return { page, ...Object.fromEntries(known) };
}

export function addressOf(state) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(DEFAULTS)) if (state[name] !== value) query.set(name, state[name]);
  const text = query.toString();
  return text ? `${state.page}?${text}` : state.page;
}

// What the server is asked: all that a panel knows.
export function queryOf(state, { withFilters = true } = {}) {
  const query = new URLSearchParams({ from: state.from, to: state.to });
  for (const name of withFilters ? FILTERS : []) if (state[name]) query.set(name, state[name]);
  if (state.compare && withFilters) query.set("compare", state.compare);
  return query;
}

export const showsThePresent = (state) => state.to === "now";

// Seconds since 1970 of `now`, `now-24h` or seconds; NaN for what the server is to refuse.
export function secondsOf(text, now) {
  const relative = /^now(?:-(\d+)([smhdw]))?$/.exec(text);
  if (relative) return Math.floor(now) - Number(relative[1] ?? 0) * UNITS[relative[2] ?? "s"];
  return /^\d+$/.test(text) ? Number(text) : Date.parse(text) / 1000;
}

// Twice the range around its middle; what would lie in the future moves to the past.
export function zoomedOut(state, now, mostSeconds) {
  const [from, to] = [secondsOf(state.from, now), secondsOf(state.to, now)];
  const length = Math.min(2 * (to - from), mostSeconds);
  const end = Math.min(Math.round((from + to) / 2 + length / 2), Math.floor(now));
  return { from: String(end - length), to: String(end) };
}

// `jobs` in the address: FROM_TO_ORDER_STATE.
export function readJobs(text) {
  const [from, to, order = "total", state = ""] = text.split("_");
  return to ? { from, to, order, state } : null;
}

export const jobsText = ({ from, to, order, state }) => [from, to, order, state].join("_");

export const jobsOfPanel = (kind, from, to) =>
  ["late", "failed"].includes(kind) ? { from, to, order: "total", state: kind } : { from, to, order: kind, state: "" };
