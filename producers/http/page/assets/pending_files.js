// The files that wait to be sent: added by the button or by a drop, shown with their size, removable.

import { byId, element } from "./elements.js";
import { RefusedFile, readTextFile } from "./text_files.js";
import { count } from "./wording.js";

export class PendingFiles extends EventTarget {
  constructor(dropZone) {
    super();
    byId("choose-button").addEventListener("click", () => byId("choose").click());
    byId("choose").addEventListener("change", (event) => this.#add(event.target));
    prepareDrop(dropZone, (dropped) => this.#add(dropped));
  }

  #files = [];

  // [{name, text}] in the order they were added.
  get all() {
    return [...this.#files];
  }

  remove(file) {
    this.#files = this.#files.filter((one) => one !== file);
    this.#show();
  }

  clear() {
    this.#files = [];
    this.#show();
    byId("refused").replaceChildren();
  }

  async #add(source) {
    const refusals = [];
    for (const file of [...source.files]) {
      try {
        this.#files.push({ name: file.name, text: await readTextFile(file) });
      } catch (error) {
        if (!(error instanceof RefusedFile)) refusals.push(`${file.name} cannot be read.`);
        else refusals.push(error.message);
      }
    }
    byId("choose").value = "";
    byId("refused").replaceChildren(...refusals.map((text) => element("p", { className: "notice problem" }, text)));
    this.#show();
  }

  #show() {
    byId("files").replaceChildren(
      ...this.#files.map((file) => {
        const remove = element("button", { type: "button", className: "quiet small" }, "Remove");
        remove.setAttribute("aria-label", `Remove ${file.name}`);
        remove.addEventListener("click", () => {
          this.remove(file);
          byId("choose-button").focus();
        });
        const size = element("span", { className: "hint" }, count(file.text.length, "character"));
        return element("li", {}, element("bdi", {}, file.name), size, remove);
      }),
    );
    this.dispatchEvent(new Event("change"));
  }
}

function prepareDrop(zone, onDrop) {
  // A file that is dropped beside the zone must not replace the page.
  for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());
  zone.addEventListener("dragover", () => zone.classList.add("dropping"));
  zone.addEventListener("dragleave", (event) => {
    if (!zone.contains(event.relatedTarget)) zone.classList.remove("dropping");
  });
  zone.addEventListener("drop", (event) => {
    zone.classList.remove("dropping");
    if (event.dataTransfer.files.length) onDrop(event.dataTransfer);
  });
}
