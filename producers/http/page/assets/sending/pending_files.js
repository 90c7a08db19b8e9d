// The files that wait to be sent: added by the button or by a drop, shown with their size, removable.

import { byId, button, element } from "../elements.js";
import { RefusedFile, accepted, measureOf } from "./accepting.js";

export class PendingFiles extends EventTarget {
  constructor(dropZone) {
    super();
    byId("choose-button").addEventListener("click", () => byId("choose").click());
    byId("choose").addEventListener("change", (event) => this.#add(event.target));
    prepareDrop(dropZone, (dropped) => this.#add(dropped));
  }

  #files = [];
  #formats = null;

  // [{file, name, text}] in the order they were added.
  get all() {
    return [...this.#files];
  }

  // `answer`: of GET /api/v1/formats; null where somebody may send no documents.
  take(answer) {
    const extensions = new Set(answer?.formats.flatMap((one) => one.extensions));
    this.#formats = answer && { extensions, maxBytes: answer.max_document_bytes };
    byId("choose").accept = answer ? [...extensions].map((one) => `.${one}`).join(",") : ".txt,.text,text/plain";
    byId("files-hint").textContent = answer ? hintOf(answer) : "Plain text only (.txt, UTF-8).";
  }

  remove(file) {
    this.#files = this.#files.filter((one) => one !== file);
    this.#show();
  }

  clear() {
    this.#files = [];
    this.#show();
    this.refuse([]);
  }

  // Shows how much of a file has left, 0 to 1.
  showSent(file, share) {
    const row = byId("files").children[this.#files.indexOf(file)];
    const bar = row?.querySelector("progress");
    if (!bar) return;
    bar.hidden = false;
    bar.value = share;
  }

  // Says why files were refused; each sentence names its file.
  refuse(sentences) {
    byId("refused").replaceChildren(...sentences.map((text) => element("p", { className: "notice problem" }, text)));
  }

  async #add(source) {
    const refusals = [];
    for (const file of [...source.files]) {
      try {
        this.#files.push(await accepted(file, this.#formats));
      } catch (error) {
        if (error instanceof RefusedFile) refusals.push(error.message);
        else refusals.push(`${file.name} cannot be read. Choose it again.`);
      }
    }
    byId("choose").value = "";
    this.refuse(refusals);
    this.#show();
  }

  #show() {
    byId("files").replaceChildren(...this.#files.map((file) => this.#row(file)));
    this.dispatchEvent(new Event("change"));
  }

  #row(file) {
    const onRemove = () => {
      this.remove(file);
      byId("choose-button").focus();
    };
    return element(
      "li",
      {},
      element("bdi", {}, file.name),
      element("span", { className: "hint" }, measureOf(file)),
      element("progress", { max: 1, hidden: true, "aria-label": `${file.name}: sent` }),
      button("Remove", "quiet small", onRemove, `Remove ${file.name}`),
    );
  }
}

// The formats by the names that people know them by; the API says all of them.
const KNOWN = { docx: "Word", pptx: "PowerPoint", xlsx: "Excel", pdf: "PDF", odt: "OpenDocument", epub: "EPUB" };

function hintOf({ formats }) {
  const names = formats.map(({ name }) => KNOWN[name]).filter(Boolean);
  const others = formats.filter(({ name }) => !KNOWN[name] && !["odp", "ods", "xliff2"].includes(name));
  return `Files: ${[...names, ...others.map(({ name }) => name.toUpperCase())].join(", ")}; several at once.`;
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
