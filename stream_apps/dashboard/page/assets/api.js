// Asks the server. What goes wrong is a Problem with the server's words, or one that says nobody answered.

export class Problem extends Error {
  constructor(status, { detail = "The server gave no reason.", cause = "", limit = "", cure = "" } = {}) {
    super(detail);
    Object.assign(this, { status, code: cause, limit, cure });
  }
}

async function problemOf(answer) {
  try {
    const told = await answer.json();
    return new Problem(answer.status, { ...told, cause: String(told.type ?? "").split(":").at(-1) });
  } catch {
    return new Problem(answer.status);
  }
}

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { detail: "The server cannot be reached.", cure: "It is asked again by itself." });
  }
  if (!answer.ok) throw await problemOf(answer);
  return answer.status === 204 ? null : answer.json();
}

export const pages = () => ask("api/pages");
export const signIn = (token) =>
  ask("session", { method: "POST", headers: { Authorization: `Bearer ${token}` } });
export const signOut = () => ask("session", { method: "DELETE" });
export const panelPath = (id, query) => `api/panels/${id}?${query}`;
export const panel = (id, query, signal) => ask(panelPath(id, query), { signal });
