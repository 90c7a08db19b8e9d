// Remembers who is signed in, in this tab only: sessionStorage ends with the tab. The secret is in no address, no log
// and no other storage.

import { Api } from "./api.js";

const KEY = "dragoman.session";

// A session is {secret, name, isUser, tenant, role, tier, limits}; `account` names it among the accounts of a browser.
export const accountOf = (session) => `${session.tenant}/${session.name}`;

export function readSession() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
  } catch {
    return null;
  }
}

export function forgetSession() {
  // The source texts are in this storage too (recent_jobs.js).
  sessionStorage.clear();
}

export async function signInWithPassword(email, password) {
  const { access_token: token } = await new Api().logIn(email, password);
  return open(token, email.trim().toLowerCase(), true);
}

export async function signInWithKey(key) {
  const secret = key.trim();
  // drg_ID_SECRET: the id may be seen, as in the lists of keys.
  const [, id] = /^drg_([^_]+)_/.exec(secret) ?? [];
  return open(secret, id ? `key ${id}` : "API key", false);
}

// Goes on without a key where the operator lets anybody in; null where not.
export async function enterWithoutKey() {
  try {
    return await open("", "guest", false);
  } catch (error) {
    if (error.status === 401) return null;
    throw error;
  }
}

async function open(secret, name, isUser) {
  const { tenant, role, tier, limits } = await new Api(secret).account();
  const session = { secret, name, isUser, tenant, role, tier, limits };
  sessionStorage.setItem(KEY, JSON.stringify(session));
  return session;
}
