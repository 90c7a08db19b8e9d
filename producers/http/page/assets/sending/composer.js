// The form where a text, or several files, become jobs.

import { byId, tell } from "../elements.js";
import { titleOf } from "../jobs/recent_jobs.js";
import { may } from "../session.js";
import { count, directionOf, priorityNames, sentences } from "../wording.js";
import { GlossaryChoice } from "./glossary_choice.js";
import { LanguageChoice } from "./languages.js";
import { PendingFiles } from "./pending_files.js";
import { Submissions } from "./submissions.js";

const FIELDS = ["text", "source", "target", "swap", "priority", "glossary", "choose-button"];

export class Composer {
  // `onSent(entry, text)`: a job is stored; `onDone(entries)`: all of them are; `onSignedOut()`: the key is dead.
  constructor({ onSent, onDone, onSignedOut }) {
    this.#onSent = onSent;
    this.#onDone = onDone;
    this.#onSignedOut = onSignedOut;
    this.#languages = new LanguageChoice(byId("source"), byId("target"), byId("swap"), () => this.#languagesChosen());
    this.#files = new PendingFiles(byId("composer"));
    const priorities = Object.entries(priorityNames).map(([priority, name]) => new Option(name, priority));
    byId("priority").replaceChildren(...priorities);
    this.#files.addEventListener("change", () => this.#showCount());
    byId("text").addEventListener("input", () => this.#showCount());
    byId("text").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) byId("composer-form").requestSubmit();
    });
    byId("composer-form").addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#stop) this.stop();
      else this.#send();
    });
    this.#showCount();
  }

  #onSent;
  #onDone;
  #onSignedOut;
  #languages;
  #glossaries = new GlossaryChoice();
  #files;
  #api = null;
  #submissions = null;
  #stop = null;

  async open(api, session) {
    this.#api = api;
    this.#submissions = new Submissions(api);
    this.#files.take(null);
    this.#tell("");
    try {
      const mayRead = may(session, "documents:read") && may(session, "documents:write");
      const [languages, formats] = await Promise.all([api.languages(), mayRead ? api.formats() : null]);
      if (this.#api !== api) return;
      this.#files.take(formats);
      this.#languages.offer(languages);
      if (this.#languages.isEmpty) this.#tell("No worker is ready, so no language can be chosen yet. Reload in a moment.");
      await this.refreshGlossaries();
    } catch (error) {
      if (this.#api !== api) return;
      if (error.status === 401) this.#onSignedOut();
      else this.#tell(`The languages cannot be read. ${sentences(error)}`);
    }
  }

  close() {
    this.stop();
    this.#api = this.#submissions = this.#stop = null;
    this.#isBusy(false);
    byId("text").value = "";
    this.#glossaries.know([]);
    this.#files.clear();
    this.#tell("");
    this.#showCount();
  }

  // Stops what is being sent; what is not stored yet stays in the form.
  stop() {
    this.#stop?.abort();
  }

  // Reads the glossaries again: they may have been changed on their own view. Without them all else works.
  async refreshGlossaries() {
    const api = this.#api;
    try {
      const found = await api.glossaries();
      if (this.#api !== api) return undefined;
      this.#glossaries.know(found);
    } catch (error) {
      if (this.#api !== api) return undefined;
      if (error.status === 401) return this.#onSignedOut();
    }
    return this.#languagesChosen();
  }

  #languagesChosen() {
    const { source, target } = this.#languages;
    this.#glossaries.offer(source, target);
    byId("text").dir = directionOf(source);
    byId("text").lang = source === "auto" ? "" : source;
  }

  async #send() {
    const waiting = this.#waiting();
    if (!waiting.length) {
      this.#tell("Write or paste a text first, or add a file.");
      byId("text").focus();
      return;
    }
    const [api, stop] = [this.#api, new AbortController()];
    this.#stop = stop;
    this.#isBusy(true);
    this.#tell("");
    const [sent, refusals] = [[], []];
    const failure = await this.#sendEach(waiting, stop.signal, sent, refusals);
    // Whoever sent it has signed out meanwhile, and somebody else may be in.
    if (this.#api !== api) return;
    this.#stop = null;
    this.#isBusy(false);
    this.#files.refuse(refusals);
    this.#showCount();
    if (failure?.status === 401) return void this.#onSignedOut();
    if (failure && failure.name !== "AbortError") this.#tell(sentences(failure));
    if (sent.length) this.#onDone(sent, this.#waiting().length > 0);
  }

  // Returns what stopped all of them; null where nothing did.
  async #sendEach(waiting, signal, sent, refusals) {
    try {
      for (const one of waiting) await this.#sendOne(one, signal, sent, refusals);
      return null;
    } catch (error) {
      return error;
    }
  }

  // One file that is refused keeps none of the others back. Throws what stops all of them.
  async #sendOne(one, signal, sent, refusals) {
    const api = this.#api;
    try {
      const entry = await this.#submit(one, signal);
      // Neither its text nor its job is for anybody else to see.
      if (this.#api !== api) throw new DOMException("signed out", "AbortError");
      one.isSent();
      this.#tell("");
      this.#onSent(entry, one.text);
      sent.push(entry);
    } catch (error) {
      if (!one.file || !error.isAboutContent) throw error;
      refusals.push(`${one.name}: ${sentences(error)}`);
    }
  }

  // Everything that is to be sent; what is sent is taken out of the form at once, so that nothing goes twice.
  #waiting() {
    const files = this.#files.all.map((file) => ({
      ...file,
      isSent: () => this.#files.remove(file),
      onProgress: (share) => this.#files.showSent(file, share),
    }));
    const text = byId("text").value;
    if (!text.trim()) return files;
    const isSent = () => (byId("text").value = "");
    return [{ file: null, name: titleOf(text), text, isSent, onProgress: () => {} }, ...files];
  }

  async #submit(one, signal) {
    const glossary = this.#glossaries.name;
    const wish = {
      source_language: this.#languages.source,
      target_language: this.#languages.target,
      priority: byId("priority").value,
      ...(glossary && { glossaries: [glossary] }),
    };
    const onWait = (error, left, isFirst) => this.#showWait(error, left, isFirst);
    const { job_id: id, priority } = await this.#submissions.send(one, wish, { ...one, signal, onWait });
    return {
      id,
      title: one.name,
      kind: one.text === null ? "document" : "text",
      isFile: one.file !== null,
      bytes: one.file?.size ?? 0,
      source: wish.source_language,
      target: wish.target_language,
      priority,
      glossary,
      at: Date.now(),
      status: "",
    };
  }

  #showWait(error, left, isFirst) {
    const waiting = count(this.#waiting().length, "text waits", "texts wait");
    // One announcement: a screen reader must not read every second.
    if (isFirst) this.#tell(`${sentences({ message: error.message, limit: error.limit })} ${waiting}.`);
    byId("translate").textContent = `Sends in ${left} s – stop`;
  }

  #isBusy(isBusy) {
    byId("composer-form").setAttribute("aria-busy", String(isBusy));
    for (const id of FIELDS) byId(id).disabled = isBusy;
    byId("translate").textContent = isBusy ? "Sending… – stop" : "Translate";
    if (!isBusy) this.#languages.showSwap();
  }

  #showCount() {
    const texts = this.#waiting();
    const characters = texts.reduce((sum, { text }) => sum + (text?.length ?? 0), 0);
    const files = texts.filter(({ file }) => file).length;
    const parts = [files > 1 && count(files, "file"), characters && count(characters, "character")];
    byId("count").textContent = parts.filter(Boolean).join(", ");
  }

  #tell(text) {
    tell(byId("composer-problem"), text);
  }
}
