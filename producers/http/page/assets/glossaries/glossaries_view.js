// The glossaries of a tenant: the list of them, and one that is open.

import { attempted } from "../attempting.js";
import { confirmed } from "../dialogs.js";
import { byId, button, element } from "../elements.js";
import { SEPARATOR } from "../jobs/outcomes.js";
import { may } from "../session.js";
import { count, day, languageName } from "../wording.js";
import { GlossaryForm } from "./glossary_form.js";
import { OpenGlossary } from "./open_glossary.js";

export class GlossariesView {
  // `onSignedOut()`: the key is dead; `onChanged()`: there is another glossary, or one less.
  constructor({ onSignedOut, onChanged }) {
    this.#onSignedOut = onSignedOut;
    this.#onChanged = onChanged;
    this.#form = new GlossaryForm((saved) => this.#saved(saved), onSignedOut);
    this.#opened = new OpenGlossary({
      attempt: (act) => this.#attempt(act),
      onNewVersion: (glossary) => this.#form.fill(glossary),
      onDelete: (name, version) => this.#delete(name, version),
    });
  }

  #onSignedOut;
  #onChanged;
  #form;
  #opened;
  #api = null;
  #mayWrite = false;

  async open(api, session) {
    this.#api = api;
    this.#mayWrite = may(session, "glossaries:write");
    byId("glossary-form").hidden = !this.#mayWrite;
    this.#opened.open(api, this.#mayWrite);
    await this.#attempt(async () => {
      if (this.#mayWrite) this.#form.open(api, await api.languages());
      await this.#refresh();
    });
  }

  close() {
    this.#form.close();
    this.#opened.close();
    byId("glossary-rows").replaceChildren();
    this.#api = null;
  }

  #attempt = (act) => {
    const api = this.#api;
    return attempted(byId("glossaries-problem"), act, this.#onSignedOut, () => this.#api !== api);
  };

  async #refresh() {
    const api = this.#api;
    const glossaries = await api.glossaries();
    // Whoever asked may have signed out meanwhile, and somebody else may look.
    if (this.#api !== api) return;
    byId("glossaries-none").hidden = glossaries.length > 0;
    byId("glossary-rows").replaceChildren(...glossaries.map((one) => this.#row(one)));
  }

  #row(one) {
    const open = button(one.name, "link", () => this.#opened.show(one.name, one.version), `Open ${one.name}`);
    const facts = [
      `${languageName(one.source_language)} → ${languageName(one.target_language)}`,
      count(one.entry_count, "term"),
      `version ${one.version}`,
      day(one.created_at),
    ];
    const remove = button("Delete", "quiet small", () => this.#delete(one.name), `Delete ${one.name}`);
    return element(
      "li",
      { className: "entry" },
      element("h3", {}, open),
      element("p", { className: "facts" }, facts.join(SEPARATOR)),
      ...(this.#mayWrite ? [element("div", { className: "actions" }, remove)] : []),
    );
  }

  // `version`: null for all of them.
  async #delete(name, version = null) {
    const what = version ? `version ${version} of ${name}` : name;
    const agreed = await confirmed({
      title: `Delete ${what}?`,
      text: version
        ? "Requests that name this version are refused from now on. What was translated with it stays."
        : "All its versions go, and requests that name it are refused. What was translated with it stays.",
      action: "Delete",
    });
    if (!agreed) return;
    await this.#attempt(async () => {
      await this.#api.deleteGlossary(name, version);
      this.#opened.hide();
      await this.#refresh();
      this.#onChanged();
    });
  }

  async #saved({ name, version }) {
    byId("news").textContent = `${name} is saved as version ${version}`;
    await this.#attempt(async () => {
      await this.#refresh();
      this.#onChanged();
      await this.#opened.show(name, version);
    });
  }
}
