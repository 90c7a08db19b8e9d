// Remembers who is signed in, in this tab only: sessionStorage ends with the tab. The secret is in no address, no log
// and no other storage.

import { Api } from "./api.js";

const KEY = "dragoman.session";

// What a session holds beside its secret and its name, as GET /api/v1/account says it.
const FACTS = ["tenant", "role", "tier", "limits", "scopes", "grantable_roles"];

// A session is {secret, name, keyId, isUser} with these facts; `account` names it among the accounts of a browser.
export const accountOf = (session) => `${session.tenant}/${session.name}`;

// What somebody may not do is not offered.
export const may = (session, scope) => session.scopes.includes(scope);

export function readSession() {
  try {
    const found = JSON.parse(sessionStorage.getItem(KEY));
    // Of an older page: whoever it was signs in again.
    return found?.scopes ? found : null;
  } catch {
    return null;
  }
}

export function forgetSession() {
  // The source texts are in this storage too (recent_jobs.js).
  sessionStorage.clear();
}

export async function signInWithPassword(email, password) {
  const { access_token: secret } = await new Api().logIn(email, password);
  return open({ secret, name: email.trim().toLowerCase(), keyId: "", isUser: true });
}

export async function signInWithKey(key) {
  const secret = key.trim();
  // drg_ID_SECRET: the id may be seen, as in the lists of keys.
  const [, keyId = ""] = /^drg_([^_]+)_/.exec(secret) ?? [];
  return open({ secret, name: keyId ? `key ${keyId}` : "API key", keyId, isUser: false });
}

// Goes on without a key where the operator lets anybody in; null where not.
export async function enterWithoutKey() {
  try {
    return await open({ secret: "", name: "guest", keyId: "", isUser: false });
  } catch (error) {
    if (error.status === 401) return null;
    throw error;
  }
}

// Asks again what the account may do: a role may have changed since the tab was opened.
export const renewed = (session) => open(session);

async function open(who) {
  const account = await new Api(who.secret).account();
  const session = { ...who, ...Object.fromEntries(FACTS.map((name) => [name, account[name]])) };
  sessionStorage.setItem(KEY, JSON.stringify(session));
  return session;
}
