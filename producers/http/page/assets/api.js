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
  job = (id) => this.#json(jobPath(id));
  cancel = (id) => this.#json(jobPath(id), { method: "DELETE" });

  // The same `idempotencyKey` gives the same job: a request whose answer was lost can be sent again.
  submit = (body, idempotencyKey) =>
    this.#json("api/v1/translations", { method: "POST", body, headers: { "Idempotency-Key": idempotencyKey } });

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

  async #ask(path, { method = "GET", body, headers = {}, signal } = {}) {
    const sent = { method, headers: { Accept: "application/json", ...headers }, signal, cache: "no-store" };
    if (this.#secret) sent.headers.Authorization = `Bearer ${this.#secret}`;
    if (body) {
      sent.body = JSON.stringify(body);
      sent.headers["Content-Type"] = "application/json";
    }
    const answer = await fetch(path, sent).catch((error) => {
      throw unreachable(error);
    });
    if (answer.ok) return answer;
    throw new ApiError(answer.status, await problemOf(answer), retryAfter(answer));
  }
}

const jobPath = (id) => `api/v1/translations/${encodeURIComponent(id)}`;

function unreachable(error) {
  if (error.name === "AbortError") return error;
  return new ApiError(UNREACHABLE, { detail: "the server cannot be reached", cure: "check your connection" });
}

// A proxy in between answers in other words than ours.
async function problemOf(answer) {
  return answer.json().catch(() => ({}));
}

function retryAfter(answer) {
  const seconds = Number.parseInt(answer.headers.get("Retry-After") ?? "", 10);
  return Number.isNaN(seconds) ? null : seconds;
}

function within(milliseconds, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("silence")), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
