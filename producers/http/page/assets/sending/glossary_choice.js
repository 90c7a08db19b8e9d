// The glossary that may be chosen: one of the tenant's, for the languages that are chosen.

import { byId } from "../elements.js";

export class GlossaryChoice {
  #all = [];
  #chosen = "";

  constructor() {
    byId("glossary").addEventListener("change", () => (this.#chosen = byId("glossary").value));
  }

  // Its name; empty for none.
  get name() {
    return byId("glossary").value;
  }

  // `glossaries`: the answer of GET /api/v1/glossaries.
  know(glossaries) {
    this.#all = glossaries;
  }

  // Offers those that fit. A source that is detected may turn out to be any.
  offer(source, target) {
    const fitting = this.#all.filter(
      (one) => isAlike(one.target_language, target) && (source === "auto" || isAlike(one.source_language, source)),
    );
    const options = fitting.map((one) => new Option(one.name, one.name));
    byId("glossary").replaceChildren(new Option("None", ""), ...options);
    byId("glossary").value = fitting.some((one) => one.name === this.#chosen) ? this.#chosen : "";
    byId("glossary-field").hidden = this.#all.length === 0;
  }
}

// Whatever the region: en-GB and en are one language to a glossary.
const isAlike = (one, other) => one.split("-")[0].toLowerCase() === (other ?? "").split("-")[0].toLowerCase();
