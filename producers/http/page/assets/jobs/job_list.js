// The list of recent jobs.

import { byId, element } from "../elements.js";
import { languageName, moment, stateOf } from "../wording.js";

// Shows the entries, newest first; `openId` is the one that is shown now, `batchesOf(id)` how far a job is.
export function showList(entries, openId, batchesOf) {
  byId("recent-none").hidden = entries.length > 0;
  byId("clear").hidden = entries.length === 0;
  const focused = document.activeElement?.closest?.("#recent a")?.hash;
  byId("recent").replaceChildren(...entries.map((entry) => item(entry, entry.id === openId, batchesOf(entry.id))));
  if (focused) [...byId("recent").querySelectorAll("a")].find((link) => link.hash === focused)?.focus();
}

function item(entry, isOpen, batchesDone) {
  const [state, tone] = stateOf(entry.status, batchesDone);
  const facts = `${languageName(entry.detected || entry.source)} → ${languageName(entry.target)} · ${moment(entry.at)}`;
  const link = element(
    "a",
    { href: `#${encodeURIComponent(entry.id)}` },
    element("bdi", { className: "title" }, entry.title),
    element("span", { className: `dot ${tone}` }, element("span", { className: "unseen" }, `${state}. `)),
    element("span", { className: "facts" }, facts),
  );
  if (isOpen) link.setAttribute("aria-current", "page");
  return element("li", {}, link);
}
