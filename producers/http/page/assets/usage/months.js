// Months and days in UTC, as the books count them. Pure.

// Returns YYYY-MM of this month and those before it.
export function monthsBefore(now, most) {
  const [year, month] = [now.getUTCFullYear(), now.getUTCMonth()];
  return Array.from({ length: most }, (_, back) => new Date(Date.UTC(year, month - back, 1)).toISOString().slice(0, 7));
}

// Returns every day of a month, YYYY-MM-DD.
export function daysOf(month) {
  const [year, number] = month.split("-").map(Number);
  const length = new Date(Date.UTC(year, number, 0)).getUTCDate();
  return Array.from({ length }, (_, day) => `${month}-${String(day + 1).padStart(2, "0")}`);
}

// Returns the first and the last day of a month that there has been.
export function rangeOf(month, now) {
  const today = now.toISOString().slice(0, 10);
  const last = daysOf(month).at(-1);
  return { since: `${month}-01`, until: last < today ? last : today };
}
