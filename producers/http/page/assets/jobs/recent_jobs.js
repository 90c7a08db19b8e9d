// The jobs that somebody sent from this browser. The list, with the first words of each text, is kept by account and
// survives a reload and a restart; the texts themselves are kept by the tab that sent them, and end with it.

const MOST = 50;
const MOST_CHARACTERS = 1_500_000;
const TITLE_CHARACTERS = 80;

// An entry is {id, title, kind, isFile, source, target, detected, priority, glossary, at, status, outcome}: languages
// as asked for, the detected one once it is known, `at` in ms since the epoch, `status` empty until the job has ended,
// `kind` text or document, `isFile` for all that came as files, `outcome` what is told of an ended one (outcomes.js).
export class RecentJobs extends EventTarget {
  constructor(account) {
    super();
    this.#key = `dragoman.jobs:${account}`;
    this.#entries = this.#read() ?? [];
    window.addEventListener("storage", this.#onStorage);
  }

  #key;
  #entries;
  // Whether the storage took the last change.
  #isKept = true;

  // Another tab changed something; of all at once a browser names no key.
  #onStorage = ({ key }) => {
    if (key !== null && key !== this.#key) return;
    this.#catchUp();
    this.dispatchEvent(new Event("change"));
  };

  // Hears nothing of other tabs any more.
  close() {
    window.removeEventListener("storage", this.#onStorage);
  }

  get all() {
    return this.#entries;
  }

  get running() {
    return this.#entries.filter((entry) => !entry.status);
  }

  find(id) {
    return this.#entries.find((entry) => entry.id === id);
  }

  add(entry, text = null) {
    this.#catchUp();
    this.#entries = [entry, ...this.#entries.filter((one) => one.id !== entry.id)].slice(0, MOST);
    if (text !== null) keepText(entry.id, text);
    this.#changed();
  }

  change(id, changes) {
    this.#catchUp();
    const entry = this.find(id);
    if (!entry || Object.entries(changes).every(([name, value]) => isSame(entry[name], value))) return;
    Object.assign(entry, changes);
    this.#changed();
  }

  remove(id) {
    this.#catchUp();
    this.#entries = this.#entries.filter((entry) => entry.id !== id);
    sessionStorage.removeItem(textKey(id));
    this.#changed();
  }

  clear() {
    this.#catchUp();
    for (const { id } of this.#entries) sessionStorage.removeItem(textKey(id));
    this.#entries = [];
    this.#changed();
  }

  // Returns the source text; null where another tab sent it, and of documents.
  textOf = (id) => sessionStorage.getItem(textKey(id));

  // Returns what is kept; null where nothing can be.
  #read() {
    try {
      const found = JSON.parse(localStorage.getItem(this.#key));
      return Array.isArray(found) ? found : [];
    } catch {
      return null;
    }
  }

  // Every change is made to what is kept now, or tabs would undo what other tabs did.
  #catchUp() {
    if (this.#isKept) this.#entries = this.#read() ?? this.#entries;
  }

  #changed() {
    try {
      localStorage.setItem(this.#key, JSON.stringify(this.#entries));
      this.#isKept = true;
    } catch {
      // A full or forbidden storage: the list lives as long as the page.
      this.#isKept = false;
    }
    this.dispatchEvent(new Event("change"));
  }
}

export function titleOf(text) {
  const line = text.trim().split("\n", 1)[0].replaceAll(/\s+/g, " ");
  return line.length > TITLE_CHARACTERS ? `${line.slice(0, TITLE_CHARACTERS - 1).trimEnd()}…` : line;
}

const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);

const textKey = (id) => `dragoman.text:${id}`;

function keepText(id, text) {
  if (text.length > MOST_CHARACTERS) return;
  try {
    sessionStorage.setItem(textKey(id), text);
  } catch {
    // Full: the other texts make room for the newest one.
    for (const key of Object.keys(sessionStorage)) if (key.startsWith(textKey(""))) sessionStorage.removeItem(key);
    try {
      sessionStorage.setItem(textKey(id), text);
    } catch {
      // Too large by itself: the job is shown without its source.
    }
  }
}
