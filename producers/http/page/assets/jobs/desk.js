// The jobs of an account while the page is open: what is known of each, and what is asked of the server meanwhile.

import { byId, tell } from "../elements.js";
import { accountOf } from "../session.js";
import { count, sentences, stateOf } from "../wording.js";
import { FileRows } from "./file_rows.js";
import { follow, sleep } from "./follow.js";
import { showList } from "./job_list.js";
import { JobView } from "./job_view.js";
import { entryOf, outcomeOf, textOf } from "./outcomes.js";
import { RecentJobs } from "./recent_jobs.js";
import { save } from "./saving.js";

// Running jobs are looked at in turn, so that ten of them ask no more often than one.
const LOOK_SECONDS = 1.5;

export class JobDesk {
  // `onSignedOut()`: the key is dead; `onGone()`: the job that is shown was taken off the list.
  constructor({ onSignedOut, onGone }) {
    this.#onSignedOut = onSignedOut;
    this.#onGone = onGone;
    const act = (name) => (id) => this[name](id);
    this.#rows = new FileRows({ onSave: act("save"), onCancel: act("cancel"), onRemove: act("remove") });
    byId("job-copy").addEventListener("click", () => this.#copy());
    byId("job-download").addEventListener("click", () => this.save(this.#openId));
    byId("job-cancel").addEventListener("click", () => this.cancel(this.#openId));
    byId("job-forget").addEventListener("click", () => this.remove(this.#openId));
    byId("clear").addEventListener("click", () => this.#clear());
  }

  #onSignedOut;
  #onGone;
  #rows;
  #view = new JobView();
  #api = null;
  #jobs = null;
  #openId = "";
  // What is known of the jobs beside the list: id -> {job, text, progress, trouble}.
  #live = new Map();
  #following = null;
  #looking = null;

  open(api, session) {
    this.#api = api;
    this.#live = new Map();
    this.#jobs = new RecentJobs(accountOf(session));
    this.#jobs.addEventListener("change", () => this.#changed());
    this.#view.allow(session);
    this.#rows.allow(session);
    this.#looking = new AbortController();
    this.#lookInTurn(this.#looking.signal);
  }

  close() {
    for (const running of [this.#following, this.#looking]) running?.abort();
    this.#jobs?.close();
    this.#api = this.#jobs = this.#following = this.#looking = null;
    this.#openId = "";
  }

  // Shows the job, or none of them, beside the list; returns its title, empty where the list has no such job.
  showJob(id) {
    this.#following?.abort();
    const entry = this.#jobs.find(id);
    this.#openId = entry ? id : "";
    this.#show();
    if (!entry) return "";
    this.#following = new AbortController();
    this.#follow(entry, this.#following.signal);
    return entry.title;
  }

  // Puts a job that somebody names on the list. Throws an ApiError for one that there is not.
  async lookUp(id) {
    const jobs = this.#jobs;
    const job = await this.#api.job(id);
    // Nobody else's list gets it.
    if (this.#jobs !== jobs) return;
    jobs.add(entryOf(job));
    this.#seen(job);
  }

  add(entry, text) {
    this.#jobs.add(entry, text);
  }

  async save(id) {
    const [jobs, known] = [this.#jobs, this.#liveOf(id)];
    known.trouble = "";
    const failed = (error) => this.#jobs === jobs && this.#failed(id, error);
    await save(this.#api, jobs.find(id), textOf(known.job?.result)).catch(failed);
    if (this.#jobs && this.#jobs === jobs) this.#show();
  }

  async cancel(id) {
    const jobs = this.#jobs;
    // Whoever asked may have signed out meanwhile, and somebody else may be in.
    const unlessOver = (tell) => (found) => this.#jobs === jobs && tell(found);
    const seen = unlessOver((job) => this.#seen(job));
    await this.#api.cancel(id).then(seen, unlessOver((error) => this.#failed(id, error)));
  }

  remove(id) {
    this.#jobs.remove(id);
    if (this.#openId === id) this.#onGone();
  }

  // Also by another tab, which may have taken what is open off the list.
  #changed() {
    if (this.#openId && !this.#jobs.find(this.#openId)) this.#onGone();
    else this.#show();
  }

  #clear() {
    this.#jobs.clear();
    this.#onGone();
  }

  #liveOf(id) {
    if (!this.#live.has(id)) this.#live.set(id, { job: null, text: "", progress: 0, trouble: "" });
    return this.#live.get(id);
  }

  #show() {
    showList(this.#jobs.all, this.#openId, (id) => this.#live.get(id)?.job?.batches_done);
    const files = this.#jobs.all.filter((entry) => entry.isFile);
    this.#rows.show(files, (id) => this.#liveOf(id), Boolean(this.#openId));
    const entry = this.#jobs.find(this.#openId);
    if (entry) this.#view.show(entry, this.#jobs.textOf(entry.id), this.#liveOf(entry.id));
  }

  async #follow({ id, kind, status }, signal) {
    const known = this.#liveOf(id);
    if (known.job?.is_finished || status === "LOST") return;
    // The parts of a document are no text to read: how far it is, the looks in turn tell.
    if (kind === "document") return void (await this.#lookAt(id, signal));
    // The stream begins with the first part again.
    Object.assign(known, { text: "", progress: 0 });
    const listener = {
      onBatch: (batch) => {
        Object.assign(known, { text: known.text + batch.text, progress: batch.progress });
        isReached();
        this.#show();
      },
      onResult: (job) => this.#seen(job),
      onTrouble: (error, seconds) => isLost(error, seconds),
    };
    await follow(this.#api, id, listener, signal).catch((error) => this.#failed(id, error));
  }

  #seen(job) {
    isReached();
    const [known, entry] = [this.#liveOf(job.job_id), this.#jobs?.find(job.job_id)];
    if (!entry || known.job?.is_finished) return;
    Object.assign(known, { job, trouble: "" });
    if (job.is_finished) {
      const status = job.result?.status || job.status;
      if (!entry.status) byId("news").textContent = `${entry.title}: ${stateOf(status)[0]}`;
      this.#jobs.change(entry.id, {
        status,
        detected: job.result?.detected_language ?? "",
        outcome: outcomeOf(job),
      });
    }
    this.#show();
  }

  #failed(id, error) {
    if (!this.#jobs || error.name === "AbortError") return undefined;
    if (error.status === 401) return this.#onSignedOut();
    if (error.status === 404) return this.#jobs.change(id, { status: "LOST" });
    const isUnexpected = error.status === undefined;
    if (isUnexpected) console.error(error);
    this.#liveOf(id).trouble = isUnexpected ? "The page met an unexpected error. Reload it." : sentences(error);
    return this.#show();
  }

  async #lookInTurn(signal) {
    for (let turn = 0; !signal.aborted; turn += 1) {
      const running = document.hidden ? [] : this.#jobs.running;
      if (running.length) await this.#lookAt(running[turn % running.length].id, signal);
      await sleep(LOOK_SECONDS, signal);
    }
  }

  async #lookAt(id, signal) {
    try {
      const job = await this.#api.job(id);
      if (!signal.aborted) this.#seen(job);
    } catch (error) {
      if (signal.aborted) return;
      if (!error.mayPass) return void this.#failed(id, error);
      isLost(error, error.retryAfterSeconds ?? LOOK_SECONDS);
      await sleep(error.retryAfterSeconds ?? 0, signal);
    }
  }

  async #copy() {
    const button = byId("job-copy");
    try {
      await navigator.clipboard.writeText(textOf(this.#live.get(this.#openId).job.result));
      byId("news").textContent = "Copied";
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 2000);
    } catch {
      button.textContent = "The browser allows no copying here";
    }
  }
}

function isLost(error, seconds) {
  const what = error.isUnreachable ? "The server cannot be reached." : sentences({ message: error.message });
  tell(byId("connection"), `${what} The page asks again every ${count(Math.ceil(seconds), "second")}; nothing is lost.`);
}

function isReached() {
  tell(byId("connection"), "");
}
