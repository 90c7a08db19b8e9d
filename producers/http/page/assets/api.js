// Asks the API. Every refusal becomes an ApiError that says what to do; whoever catches it decides whether to ask again.

const UNREACHABLE = 0;
// The server sends a comment every 15 s; a connection silent for longer than this is dead.
const SILENCE_MS = 45_000;

export class ApiError extends Error {
  constructor(status, problem = {}, retryAfterSeconds = null) {
    super(problem.detail ?? `the server answered ${status}`);
    this.status = status;
    this.type = (problem.type ?? "").replace("urn:dragoman:problem:", "");
    this.field = problem.field ?? null;
    this.limit = problem.limit ?? null;
    this.cure = problem.cure ?? null;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  get isUnreachable() {
    return this.status === UNREACHABLE;
  }

  // Whether the same request may succeed later, unchanged.
  get mayPass() {
    return this.isUnreachable || this.status === 429 || this.status >= 500;
  }

  // Whether it is this text or file that is refused, and the next one may be taken.
  get isAboutContent() {
    return [400, 409, 413, 415, 422].includes(this.status);
  }
}

export class Api {
  // `secret`: an API key or the token of a login; empty where the server lets callers in without one.
  constructor(secret = "") {
    this.#secret = secret;
  }

  #secret;

  logIn = (email, password) => this.#json("auth/login", { method: "POST", body: { email, password } });
  logOut = () => this.#ask("auth/logout", { method: "POST" });
  account = () => this.#json("api/v1/account");
  languages = () => this.#json("api/v1/languages");
  formats = () => this.#json("api/v1/formats");
  usage = (wanted) => this.#json(`api/v1/usage?${new URLSearchParams(wanted)}`);

  job = (id) => this.#json(jobPath(id));
  cancel = (id) => this.#json(jobPath(id), { method: "DELETE" });
  jobFile = (id) => this.#blob(`${jobPath(id)}/download`);

  glossaries = () => this.#json(GLOSSARIES);
  glossary = (name, version) => this.#json(glossaryPath(name, { version }));
  glossaryFile = (name, version, format) => this.#blob(glossaryPath(name, { version, format }));
  deleteGlossary = (name, version) => this.#ask(glossaryPath(name, { version }), { method: "DELETE" });
  saveGlossary = (body) => this.#json(GLOSSARIES, { method: "POST", body });
  // `named`: {name, source_language, target_language}; `file` is a Blob whose type says its format.
  saveGlossaryFile = (named, file) =>
    this.#json(`${GLOSSARIES}?${new URLSearchParams(named)}`, { method: "POST", body: file });

  keys = () => this.#json(KEYS);
  createKey = (body) => this.#json(KEYS, { method: "POST", body });
  rotateKey = (id, body) => this.#json(`${KEYS}/${encodeURIComponent(id)}/rotate`, { method: "POST", body });
  revokeKey = (id) => this.#json(`${KEYS}/${encodeURIComponent(id)}`, { method: "DELETE" });

  // The same `idempotencyKey` gives the same job: a request whose answer was lost can be sent again.
  submit = (body, idempotencyKey) =>
    this.#json("api/v1/translations", { method: "POST", body, headers: { "Idempotency-Key": idempotencyKey } });

  // Sends a form with a file; `onProgress(share)` hears how much of it has left, 0 to 1. fetch() cannot tell.
  upload(form, idempotencyKey, { signal, onProgress }) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", "api/v1/documents");
      request.responseType = "json";
      request.setRequestHeader("Accept", "application/json");
      request.setRequestHeader("Idempotency-Key", idempotencyKey);
      if (this.#secret) request.setRequestHeader("Authorization", `Bearer ${this.#secret}`);
      request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(total ? loaded / total : 0));
      request.addEventListener("load", () => {
        if (request.status < 300) return resolve(request.response);
        const retry = secondsOf(request.getResponseHeader("Retry-After"));
        return reject(new ApiError(request.status, request.response ?? {}, retry));
      });
      request.addEventListener("error", () => reject(unreachable(new Error())));
      request.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError")));
      signal.addEventListener("abort", () => request.abort(), { once: true });
      request.send(form);
    });
  }

  // Yields the chunks of the job's event stream, as text, behind the event `lastEventId`; nothing where all is told.
  async *events(id, lastEventId, signal) {
    const headers = { Accept: "text/event-stream", ...(lastEventId && { "Last-Event-ID": lastEventId }) };
    const answer = await this.#ask(`${jobPath(id)}/events`, { headers, signal });
    if (answer.status === 204) return;
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    try {
      for (;;) {
        const { value, done } = await within(SILENCE_MS, reader.read());
        if (done) return;
        yield value;
      }
    } catch (error) {
      throw unreachable(error);
    } finally {
      reader.cancel().catch(() => {});
    }
  }

  async #json(path, wish) {
    const answer = await this.#ask(path, wish);
    return answer.json();
  }

  async #blob(path) {
    const answer = await this.#ask(path, { headers: { Accept: "*/*" } });
    return answer.blob();
  }

  async #ask(path, { method = "GET", body, headers = {}, signal } = {}) {
    const sent = { method, headers: { Accept: "application/json", ...headers }, signal, cache: "no-store" };
    if (this.#secret) sent.headers.Authorization = `Bearer ${this.#secret}`;
    if (body) {
      const isFile = body instanceof Blob;
      sent.body = isFile ? body : JSON.stringify(body);
      sent.headers["Content-Type"] = isFile ? body.type : "application/json";
    }
    const answer = await fetch(path, sent).catch((error) => {
      throw unreachable(error);
    });
    if (answer.ok) return answer;
    throw new ApiError(answer.status, await problemOf(answer), secondsOf(answer.headers.get("Retry-After")));
  }
}

const GLOSSARIES = "api/v1/glossaries";
const KEYS = "api/v1/keys";

const jobPath = (id) => `api/v1/translations/${encodeURIComponent(id)}`;

// `wanted`: what stands behind the ?; without a value it is left out.
function glossaryPath(name, wanted) {
  const query = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value));
  return `${GLOSSARIES}/${encodeURIComponent(name)}?${query}`;
}

function unreachable(error) {
  if (error.name === "AbortError") return error;
  return new ApiError(UNREACHABLE, { detail: "the server cannot be reached", cure: "check your connection" });
}

// A proxy in between answers in other words than ours.
async function problemOf(answer) {
  return answer.json().catch(() => ({}));
}

function secondsOf(header) {
  const seconds = Number.parseInt(header ?? "", 10);
  return Number.isNaN(seconds) ? null : seconds;
}

function within(milliseconds, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("silence")), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
