// What the tenant has used in a month, day by day and by language pair, against its limits.

import { attempted } from "../attempting.js";
import { byId, element } from "../elements.js";
import { count, languageName, number } from "../wording.js";
import { daysOf, monthsBefore, rangeOf } from "./months.js";
import { pairOf } from "./pairs.js";

const MONTHS_OFFERED = 12;
const monthName = new Intl.DateTimeFormat("en", { month: "long", year: "numeric", timeZone: "UTC" });
const dayName = new Intl.DateTimeFormat("en", { day: "numeric", month: "long", timeZone: "UTC" });
const money = new Intl.NumberFormat("en", { style: "currency", currency: "USD" });

export class UsageView {
  // `onSignedOut()`: the key is dead.
  constructor({ onSignedOut }) {
    this.#onSignedOut = onSignedOut;
    byId("month").addEventListener("change", () => this.#show());
  }

  #onSignedOut;
  #api = null;

  async open(api) {
    this.#api = api;
    const months = monthsBefore(new Date(), MONTHS_OFFERED);
    byId("month").replaceChildren(...months.map((month) => new Option(monthName.format(new Date(month)), month)));
    await this.#show();
  }

  close() {
    this.#api = null;
    byId("usage-content").hidden = true;
  }

  async #show() {
    const [api, month] = [this.#api, byId("month").value];
    const range = rangeOf(month, new Date());
    // Another month may have been chosen meanwhile, or somebody else may look.
    const isAsked = () => byId("month").value === month && this.#api === api;
    const isGood = await attempted(
      byId("usage-problem"),
      async () => {
        const [byDay, byPair] = await Promise.all(["day", "pair"].map((by) => api.usage({ ...range, by })));
        if (isAsked()) draw(month, byDay, byPair);
      },
      this.#onSignedOut,
      () => this.#api !== api,
    );
    if (isAsked()) byId("usage-content").hidden = !isGood;
  }
}

function draw(month, byDay, byPair) {
  const today = new Date().toISOString().slice(0, 10);
  const requests = byDay.rows.reduce((sum, row) => sum + row.requests, 0);
  byId("usage-figures").replaceChildren(
    ...figure("Requests", number(requests)),
    ...figure("Words", number(byDay.words)),
    ...figure("Characters", number(byDay.characters)),
  );
  const isNow = today.startsWith(month);
  byId("limits").replaceChildren(...(isNow ? [...budgetOf(byDay), ...dayLimitOf(byDay, today)] : []));
  byId("limits").hidden = !isNow;
  if (isNow && !byId("limits").children.length) {
    byId("limits").append(element("p", { className: "hint" }, "No limit is set for this account."));
  }
  drawDays(month, byDay);
  byId("pair-rows").replaceChildren(...byPair.rows.map(pairRow));
  byId("pairs").hidden = byPair.rows.length === 0;
}

const figure = (name, value) => [element("dt", {}, name), element("dd", {}, value)];

function budgetOf({ budget }) {
  if (!budget) return [];
  const { spent_dollars: spent, budget_dollars: most, stops } = budget;
  const refuses = "Once it is used up, requests are refused until the next month.";
  const words = `${money.format(spent)} of ${money.format(most)}`;
  return [meter("Budget of this month", spent, most, words, stops ? refuses : "It warns only; nothing is refused.")];
}

function dayLimitOf({ rows, characters_per_day: most }, today) {
  if (!most) return [];
  const used = rows.find((row) => row.name === today)?.characters ?? 0;
  return [meter("Characters of today (UTC)", used, most, `${number(used)} of ${number(most)}`, "Counted anew each day.")];
}

function meter(name, value, most, words, hint) {
  const share = value / most;
  const tone = share >= 1 ? "bad" : share >= 0.8 ? "fair" : "good";
  const bar = element("div", { className: "fill" });
  bar.style.inlineSize = `${Math.min(100 * share, 100)}%`;
  const range = { "aria-valuemin": 0, "aria-valuemax": most, "aria-valuenow": Math.min(value, most) };
  const aria = { role: "meter", "aria-label": name, ...range };
  return element(
    "div",
    { className: `limit ${tone}` },
    element("p", { className: "limit-head" }, element("b", {}, name), element("span", {}, words)),
    element("div", { className: "track", ...aria, "aria-valuetext": words }, bar),
    element("p", { className: "hint" }, hint),
  );
}

function drawDays(month, { rows }) {
  const used = new Map(rows.map((row) => [row.name, row]));
  const days = daysOf(month);
  const most = Math.max(1, ...rows.map((row) => row.words));
  byId("days").replaceChildren(
    ...days.map((day) => {
      const words = used.get(day)?.words ?? 0;
      const bar = element("div", { className: "bar", title: `${dayName.format(new Date(day))}: ${count(words, "word")}` });
      bar.style.blockSize = `${(100 * words) / most}%`;
      return bar;
    }),
  );
  byId("days").setAttribute("aria-label", `Words by day. At most ${number(most)} on one day.`);
  byId("days-first").textContent = dayName.format(new Date(days[0]));
  byId("days-last").textContent = dayName.format(new Date(days.at(-1)));
  byId("day-rows").replaceChildren(...rows.map((row) => tableRow(dayName.format(new Date(row.name)), row)));
  byId("days-card").hidden = rows.length === 0;
  byId("usage-none").hidden = rows.length > 0;
}

function pairRow(row) {
  const [source, target] = pairOf(row.name);
  return tableRow(target ? `${languageName(source)} → ${languageName(target)}` : row.name, row);
}

function tableRow(name, row) {
  const cells = [row.requests, row.words, row.characters].map((value) => element("td", {}, number(value)));
  return element("tr", {}, element("th", { scope: "row" }, name), ...cells);
}
