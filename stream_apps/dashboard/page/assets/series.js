// Turns rows of (t, series, value) into columns for a chart: one value of each series for each step of the range.

// Known orders; whatever else there is stands behind, the largest first, "others" last.
const ORDER = [
  "critical", "high", "standard",
  "50 %", "95 %", "99 %",
  "busy", "idle", "starting", "draining",
  "tenants pay", "work costs",
  "users", "tenants",
];

function placeOf(name) {
  if (name === "others") return 1000;
  const place = ORDER.indexOf(name);
  return place < 0 ? 100 : place;
}

export function stepsOf({ from, to, step }) {
  const steps = [];
  for (let t = from; t < to; t += step) steps.push(t);
  return steps;
}

// Returns {times, series: [{name, values, total}]}; a missing value is null, or 0 where bars are to be stacked.
export function columnsOf(answer, isStacked, rows = answer.rows) {
  const times = stepsOf(answer);
  const places = new Map(times.map((t, place) => [t, place]));
  const found = new Map();
  for (const [t, name, value] of rows) {
    if (!found.has(name)) found.set(name, { name, values: new Array(times.length).fill(isStacked ? 0 : null), total: 0 });
    const place = places.get(t);
    if (place === undefined || value === null) continue;
    found.get(name).values[place] = value;
    found.get(name).total += value;
  }
  const series = [...found.values()].sort(
    (a, b) => placeOf(a.name) - placeOf(b.name) || b.total - a.total || (a.name < b.name ? -1 : 1),
  );
  return { times, series };
}

// Each series on top of those behind it in the list: the first lies at the bottom.
export function stacked(series) {
  let below = null;
  return series.map(({ values }) => {
    const floor = below;
    below = values.map((value, place) => value + (floor ? floor[place] : 0));
    return below;
  });
}

export const sums = (series, length) =>
  Array.from({ length }, (_, place) => series.reduce((sum, one) => sum + (one.values[place] ?? 0), 0));
