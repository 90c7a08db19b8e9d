// Every file that was sent, a row each: how far it is, what became of it, and what can be done with it.

import { byId, button, element } from "../elements.js";
import { may } from "../session.js";
import { languageName, stateOf } from "../wording.js";
import { LOST, SEPARATOR, measuresOf, remarksOf, waitOf } from "./outcomes.js";

export class FileRows {
  // `onSave(id)`, `onCancel(id)`, `onRemove(id)`: what somebody does with a row.
  constructor(actions) {
    this.#actions = actions;
  }

  #actions;
  #mayCancel = false;
  // What is drawn: id -> {looks, row}. A row is drawn anew only where it changed, so that the focus stays in it.
  #drawn = new Map();

  allow(session) {
    this.#mayCancel = may(session, "translations:write");
    this.#drawn.clear();
  }

  // `entries`: newest first; `liveOf(id)`: {job, trouble} as far as known. Beside a job that is open nothing is shown.
  show(entries, liveOf, isJobOpen) {
    byId("sent-files").hidden = entries.length === 0 || isJobOpen;
    const focused = document.activeElement?.closest?.("#sent-rows [data-act]")?.dataset;
    const [id, act] = [focused?.job, focused?.act];
    const drawn = new Map(entries.map((entry) => [entry.id, this.#row(entry, liveOf(entry.id))]));
    const rows = [...drawn.values()].map(({ row }) => row);
    const list = byId("sent-rows");
    if (rows.length !== list.children.length || rows.some((row, at) => row !== list.children[at])) {
      list.replaceChildren(...rows);
      if (id) list.querySelector(`[data-job="${CSS.escape(id)}"][data-act="${act}"]`)?.focus();
    }
    this.#drawn = drawn;
  }

  #row(entry, live) {
    const facts = { entry, job: shownOf(live.job), trouble: live.trouble };
    const looks = JSON.stringify(facts);
    const known = this.#drawn.get(entry.id);
    return known?.looks === looks ? known : { looks, row: this.#made(facts) };
  }

  #made({ entry, job, trouble }) {
    const [state, tone] = stateOf(entry.status, job?.batches_done, job?.stage);
    const link = element("a", { href: `#${encodeURIComponent(entry.id)}` }, element("bdi", {}, entry.title));
    Object.assign(link.dataset, { job: entry.id, act: "open" });
    const pair = `${languageName(entry.detected || entry.source)} → ${languageName(entry.target)}`;
    return element(
      "li",
      { className: "entry" },
      element("h3", {}, link),
      element("p", { className: `pill ${tone}` }, state),
      element("p", { className: "facts" }, [pair, ...measuresOf(entry, job)].join(SEPARATOR)),
      ...(entry.status ? ended(entry, trouble) : running(entry, job, trouble)),
      element("div", { className: "actions" }, ...this.#buttons(entry)),
    );
  }

  #buttons(entry) {
    const { onSave, onCancel, onRemove } = this.#actions;
    const made = (words, act, onClick) => {
      const one = button(words, "quiet small", () => onClick(entry.id), `${words} ${entry.title}`);
      Object.assign(one.dataset, { job: entry.id, act });
      return one;
    };
    if (!entry.status) return this.#mayCancel ? [made("Cancel", "cancel", onCancel)] : [];
    const hasFile = ["COMPLETED", "PARTIAL"].includes(entry.status);
    return [...(hasFile ? [made("Download", "save", onSave)] : []), made("Remove", "remove", onRemove)];
  }
}

// Without the result, which is large and drawn elsewhere.
function shownOf(job) {
  if (!job) return null;
  const { batches_done, stage, progress, queue_position, estimated_completion_seconds, document_info, words } = job;
  return { batches_done, stage, progress, queue_position, estimated_completion_seconds, document_info, words };
}

function running(entry, job, trouble) {
  const bar = element("progress", { max: 100, "aria-label": `Progress of ${entry.title}` });
  if (job?.progress) bar.value = job.progress;
  return [bar, element("p", { className: "facts" }, waitOf(job, job?.progress)), ...problem(trouble)];
}

function ended(entry, trouble) {
  const remarks = entry.outcome ? remarksOf(entry.outcome) : [];
  const said = trouble || (entry.status === "LOST" ? LOST : entry.outcome?.problem);
  return [...remarks.map((words) => element("p", { className: "remark" }, words)), ...problem(said)];
}

const problem = (words) => (words ? [element("p", { className: "notice problem" }, words)] : []);
