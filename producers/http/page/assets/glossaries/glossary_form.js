// The form where lines, or a file, become a glossary or its next version.

import { attempted } from "../attempting.js";
import { byId, tell } from "../elements.js";
import { languageName } from "../wording.js";
import { entriesOf, linesOf } from "./lines.js";

const MEDIA_TYPES = { csv: "text/csv", tsv: "text/tab-separated-values", tbx: "application/x-tbx" };
const LONGEST_NAME = 64;

export class GlossaryForm {
  // `onSaved(glossary)`; `onSignedOut()`: the key is dead.
  constructor(onSaved, onSignedOut) {
    this.#onSaved = onSaved;
    this.#onSignedOut = onSignedOut;
    byId("terms-choose").addEventListener("click", () => byId("terms-file").click());
    byId("terms-file").addEventListener("change", () => this.#fileChosen());
    byId("glossary-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save();
    });
  }

  #onSaved;
  #onSignedOut;
  #api = null;
  #file = null;

  // `answer`: of GET /api/v1/languages.
  open(api, { languages }) {
    this.#api = api;
    const codes = languages.map(({ code }) => code);
    // At first, the pair that is chosen for translations; a source that is detected is mostly English.
    const wanted = { "terms-source": [byId("source").value, "en"], "terms-target": [byId("target").value] };
    for (const [id, choices] of Object.entries(wanted)) {
      const chosen = [byId(id).value, ...choices].find((code) => codes.includes(code));
      byId(id).replaceChildren(...languages.map(({ code, name }) => new Option(name, code)));
      if (chosen) byId(id).value = chosen;
    }
  }

  close() {
    byId("glossary-form").reset();
    this.#forgetFile();
    tell(byId("terms-problem"), "");
    this.#api = null;
  }

  // Begins the next version with the terms of an older one.
  fill({ name, source_language: source, target_language: target, entries }) {
    byId("terms-name").value = name;
    for (const [id, code] of [["terms-source", source], ["terms-target", target]]) {
      const known = [...byId(id).options].some((option) => option.value === code);
      if (!known) byId(id).append(new Option(languageName(code), code));
      byId(id).value = code;
    }
    byId("terms-lines").value = linesOf(entries);
    this.#forgetFile();
    byId("terms-lines").focus();
  }

  async #save() {
    byId("terms-save").disabled = true;
    let saved = null;
    const api = this.#api;
    const act = async () => (saved = await this.#send());
    const isOver = () => this.#api !== api;
    const isSaved = await attempted(byId("terms-problem"), act, this.#onSignedOut, isOver);
    byId("terms-save").disabled = false;
    if (!isSaved || isOver()) return;
    for (const id of ["terms-name", "terms-lines"]) byId(id).value = "";
    this.#forgetFile();
    this.#onSaved(saved);
  }

  #send() {
    const named = {
      name: byId("terms-name").value.trim(),
      source_language: byId("terms-source").value,
      target_language: byId("terms-target").value,
    };
    if (!this.#file) return this.#api.saveGlossary({ ...named, entries: entriesOf(byId("terms-lines").value) });
    return this.#api.saveGlossaryFile(named, this.#file);
  }

  #fileChosen() {
    const [file] = byId("terms-file").files;
    const extension = /\.([^.]+)$/.exec(file?.name ?? "")?.[1].toLowerCase();
    const type = MEDIA_TYPES[extension];
    const refusal = `${file?.name} is no glossary. Allowed: .csv, .tsv, .tbx. Save it as one of these.`;
    tell(byId("terms-problem"), file && !type ? refusal : "");
    if (!type) return this.#forgetFile();
    this.#file = new Blob([file], { type });
    byId("terms-name").value ||= nameOf(file.name.slice(0, -extension.length - 1));
    byId("terms-lines").value = "";
    byId("terms-lines").disabled = true;
    byId("terms-file-name").textContent = file.name;
    return undefined;
  }

  #forgetFile() {
    this.#file = null;
    byId("terms-file").value = "";
    byId("terms-lines").disabled = false;
    byId("terms-file-name").textContent = "";
  }
}

// Returns the name of a file as a glossary may have it; empty where nothing of it is left.
function nameOf(words) {
  const plain = words.replaceAll(/[^\w.:-]+/g, "_").replace(/^[^A-Za-z0-9]+/, "");
  return plain.slice(0, LONGEST_NAME).replace(/_+$/, "");
}
