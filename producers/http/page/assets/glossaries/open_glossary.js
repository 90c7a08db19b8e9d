// One glossary: its versions, its terms, and its files.

import { byId, element } from "../elements.js";
import { saveAs } from "../jobs/saving.js";
import { count, directionOf, languageName } from "../wording.js";

// More than anybody scrolls through; the filter finds the others, and a file has all.
const MOST_SHOWN = 200;

export class OpenGlossary {
  // `attempt(act)`: runs it and tells what it throws; `onNewVersion(glossary)`, `onDelete(name, version)`.
  constructor({ attempt, onNewVersion, onDelete }) {
    this.#attempt = attempt;
    byId("open-version").addEventListener("change", () => this.show(this.#shown.name, byId("open-version").value));
    byId("open-filter").addEventListener("input", () => this.#drawTerms());
    byId("open-new").addEventListener("click", () => onNewVersion(this.#shown));
    byId("open-delete").addEventListener("click", () => onDelete(this.#shown.name, this.#shown.version));
    byId("open-close").addEventListener("click", () => this.hide());
    for (const format of ["csv", "tsv", "tbx"]) byId(`open-${format}`).addEventListener("click", () => this.#save(format));
  }

  #attempt;
  #api = null;
  #shown = null;

  open(api, mayWrite) {
    this.#api = api;
    for (const id of ["open-new", "open-delete"]) byId(id).hidden = !mayWrite;
    this.hide();
  }

  close() {
    this.#api = null;
    this.hide();
  }

  hide() {
    this.#shown = null;
    byId("open-glossary").hidden = true;
    byId("open-terms").replaceChildren();
    byId("open-filter").value = "";
  }

  async show(name, version) {
    await this.#attempt(async () => {
      const api = this.#api;
      const found = await api.glossary(name, version);
      if (this.#api !== api) return;
      this.#shown = found;
      this.#draw();
      byId("open-title").focus({ preventScroll: true });
      byId("open-glossary").scrollIntoView({ block: "nearest" });
    });
  }

  #draw() {
    const { name, versions, version, source_language: source, target_language: target, entry_count: terms } = this.#shown;
    byId("open-glossary").hidden = false;
    byId("open-title").textContent = name;
    byId("open-facts").textContent = `${languageName(source)} → ${languageName(target)}, ${count(terms, "term")}`;
    byId("open-version").replaceChildren(...[...versions].reverse().map((one) => new Option(`Version ${one}`, one)));
    byId("open-version").value = version;
    byId("open-source").textContent = languageName(source);
    byId("open-target").textContent = languageName(target);
    this.#drawTerms();
  }

  #drawTerms() {
    const { entries, source_language: source, target_language: target } = this.#shown;
    const wanted = byId("open-filter").value.toLowerCase();
    const found = Object.entries(entries).filter((pair) => pair.some((text) => text.toLowerCase().includes(wanted)));
    const cell = (text, lang) => element("td", { lang, dir: directionOf(lang) }, text);
    const row = ([term, translation]) => element("tr", {}, cell(term, source), cell(translation, target));
    byId("open-terms").replaceChildren(...found.slice(0, MOST_SHOWN).map(row));
    const shown = Math.min(found.length, MOST_SHOWN);
    byId("open-count").textContent = `${count(shown, "term")} of ${found.length}${wanted ? " that match" : ""}`;
  }

  async #save(format) {
    const { name, version } = this.#shown;
    const fileName = `${name}.${version}.${format}`;
    await this.#attempt(async () => saveAs(await this.#api.glossaryFile(name, version, format), fileName));
  }
}
