// The form where a text, or several files, become jobs.

import { byId, tell } from "./elements.js";
import { sleep } from "./follow.js";
import { LanguageChoice } from "./languages.js";
import { PendingFiles } from "./pending_files.js";
import { titleOf } from "./recent_jobs.js";
import { count, sentences } from "./wording.js";

// A limit that lasts longer is told and not waited for.
const LONGEST_WAIT_SECONDS = 120;

export class Composer {
  // `onSent(entry, text)`: a job is stored; `onDone(entries)`: all of them are; `onSignedOut()`: the key is dead.
  constructor({ onSent, onDone, onSignedOut }) {
    this.#onSent = onSent;
    this.#onDone = onDone;
    this.#onSignedOut = onSignedOut;
    this.#languages = new LanguageChoice(byId("source"), byId("target"), byId("swap"));
    this.#files = new PendingFiles(byId("composer"));
    this.#files.addEventListener("change", () => this.#showCount());
    byId("text").addEventListener("input", () => this.#showCount());
    byId("text").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) byId("composer-form").requestSubmit();
    });
    byId("composer-form").addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#stop) this.#stop.abort();
      else this.#send();
    });
    this.#showCount();
  }

  #onSent;
  #onDone;
  #onSignedOut;
  #languages;
  #files;
  #api = null;
  #stop = null;
  // The key under which a body was sent last: sent again after a failure, it is the same job.
  #keys = new Map();

  async open(api) {
    this.#api = api;
    this.#tell("");
    try {
      this.#languages.offer(await api.languages());
      if (this.#languages.isEmpty) this.#tell("No worker is ready, so no language can be chosen yet. Reload in a moment.");
    } catch (error) {
      if (error.status === 401) this.#onSignedOut();
      else this.#tell(`The languages cannot be read. ${sentences(error)}`);
    }
  }

  close() {
    this.#stop?.abort();
    this.#api = null;
    byId("text").value = "";
    this.#files.clear();
    this.#keys.clear();
    this.#tell("");
    this.#showCount();
  }

  write(text) {
    byId("text").value = text;
    this.#showCount();
    byId("text").focus();
  }

  async #send() {
    const texts = this.#waiting();
    if (!texts.length) {
      this.#tell("Write or paste a text first, or add a file.");
      byId("text").focus();
      return;
    }
    this.#stop = new AbortController();
    this.#isBusy(true);
    const sent = [];
    try {
      for (const one of texts) {
        const entry = await this.#submit(one, this.#stop.signal);
        one.isSent();
        this.#onSent(entry, one.text);
        sent.push(entry);
      }
      this.#tell("");
    } catch (error) {
      if (error.status === 401) this.#onSignedOut();
      else this.#tell(sentences(error));
    } finally {
      this.#stop = null;
      this.#isBusy(false);
      this.#showCount();
    }
    if (sent.length && !this.#waiting().length) this.#onDone(sent);
  }

  // Everything that is to be sent; what is sent is taken out of the form at once, so that nothing goes twice.
  #waiting() {
    const files = this.#files.all.map((file) => ({ ...file, isSent: () => this.#files.remove(file) }));
    const text = byId("text").value;
    if (!text.trim()) return files;
    return [{ name: titleOf(text), text, isSent: () => (byId("text").value = "") }, ...files];
  }

  async #submit({ name, text }, signal) {
    const body = {
      text,
      source_language: this.#languages.source,
      target_language: this.#languages.target,
      priority: byId("priority").value,
    };
    const { job_id: id, priority } = await this.#untilTaken(body, signal);
    const [source, target] = [body.source_language, body.target_language];
    return { id, title: name, source, target, priority, at: Date.now(), status: "" };
  }

  async #untilTaken(body, signal) {
    const known = JSON.stringify(body);
    if (!this.#keys.has(known)) this.#keys.set(known, randomKey());
    for (;;) {
      try {
        const accepted = await this.#api.submit(body, this.#keys.get(known));
        this.#keys.delete(known);
        return accepted;
      } catch (error) {
        const seconds = error.retryAfterSeconds;
        if (!seconds || seconds > LONGEST_WAIT_SECONDS || signal.aborted) throw error;
        await this.#wait(error, seconds, signal);
        if (signal.aborted) throw error;
      }
    }
  }

  async #wait(error, seconds, signal) {
    const waiting = count(this.#waiting().length, "text waits", "texts wait");
    for (let left = seconds; left > 0 && !signal.aborted; left -= 1) {
      // One announcement: a screen reader must not read every second.
      if (left === seconds) this.#tell(`${sentences({ message: error.message, limit: error.limit })} ${waiting}.`);
      byId("translate").textContent = `Sends in ${left} s – stop`;
      await sleep(1, signal);
    }
  }

  #isBusy(isBusy) {
    byId("composer-form").setAttribute("aria-busy", String(isBusy));
    for (const id of ["text", "source", "target", "priority", "choose-button"]) byId(id).disabled = isBusy;
    byId("translate").textContent = isBusy ? "Sending…" : "Translate";
  }

  #showCount() {
    const texts = this.#waiting();
    const characters = texts.reduce((sum, { text }) => sum + text.length, 0);
    byId("count").textContent = characters ? count(characters, "character") : "";
  }

  #tell(text) {
    tell(byId("composer-problem"), text);
  }
}

// crypto.randomUUID() is there on encrypted or local pages only.
function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
