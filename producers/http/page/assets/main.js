// The page as a whole: who is signed in, and which view is shown.

import { Api } from "./api.js";
import { prepareDialogs } from "./dialogs.js";
import { byId, element, tell } from "./elements.js";
import { GlossariesView } from "./glossaries/glossaries_view.js";
import { JobDesk } from "./jobs/desk.js";
import { KeysView } from "./keys/keys_view.js";
import { Composer } from "./sending/composer.js";
import { enterWithoutKey, forgetSession, may, readSession, renewed } from "./session.js";
import { prepareSignIn, showSignIn } from "./sign_in.js";
import { UsageView } from "./usage/usage_view.js";
import { count, sentences } from "./wording.js";

const composer = new Composer({ onSent, onDone, onSignedOut: sessionEnded });
const desk = new JobDesk({ onSignedOut: sessionEnded, onGone: showForm });

// Views beside the work, by what stands behind the #; the ids of jobs are encoded and hold no slash.
const VIEWS = {
  "/glossaries": {
    title: "Glossaries",
    scope: "translations:read",
    view: new GlossariesView({ onSignedOut: sessionEnded, onChanged: () => composer.refreshGlossaries() }),
  },
  "/usage": { title: "Usage", scope: "usage:read", view: new UsageView({ onSignedOut: sessionEnded }) },
  "/keys": { title: "API keys", scope: "keys:admin", view: new KeysView({ onSignedOut: sessionEnded }) },
};
const sectionOf = (path) => byId(path.slice(1));

let session = null;
let api = null;

function begin(found) {
  session = found;
  api = new Api(session.secret);
  showAccount();
  byId("menu").hidden = false;
  desk.open(api, session);
  if (may(session, "translations:write")) composer.open(api, session);
  route();
}

function end(reason = "") {
  forgetSession();
  composer.close();
  desk.close();
  for (const { view } of Object.values(VIEWS)) view.close();
  session = api = null;
  for (const path of Object.keys(VIEWS)) sectionOf(path).hidden = true;
  for (const id of ["work", "account", "menu", "connection"]) byId(id).hidden = true;
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close("");
  if (location.hash) history.replaceState(null, "", location.pathname);
  document.title = "Dragoman";
  showSignIn(reason);
}

function sessionEnded() {
  if (session) end("Your session has ended. Sign in again.");
}

async function signOut() {
  const [old, isUser] = [api, session.isUser];
  end();
  // The token dies on the server too; a key lives on, since others may use it.
  if (isUser) await old.logOut().catch(() => {});
}

function showAccount() {
  byId("account").hidden = false;
  byId("who-name").textContent = session.name;
  byId("sign-out").textContent = session.secret ? "Sign out" : "Sign in";
  const limits = Object.entries(session.limits).filter(([, most]) => most > 0);
  const facts = [["Tenant", session.tenant], ["Role", session.role], ["Tier", session.tier]].filter(([, value]) => value);
  for (const [name, most] of limits) facts.push([name.replaceAll("_", " "), most.toLocaleString("en")]);
  const lines = facts.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);
  byId("who-facts").replaceChildren(...lines);
  for (const link of byId("menu").querySelectorAll("a")) {
    const view = VIEWS[link.hash.slice(1)];
    link.parentElement.hidden = Boolean(view) && !may(session, view.scope);
  }
}

// What the address names is shown: nothing behind the # is the form, else a view, else a job.
function route() {
  if (!session) return;
  const path = location.hash.slice(1);
  const shown = VIEWS[path] && may(session, VIEWS[path].scope) ? path : "";
  for (const link of byId("menu").querySelectorAll("a")) {
    if (link.hash.slice(1) === shown) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  for (const other of Object.keys(VIEWS)) sectionOf(other).hidden = other !== shown;
  byId("work").hidden = Boolean(shown);
  window.scrollTo(0, 0);
  if (shown) showView(shown);
  else showWork(path.startsWith("/") ? "" : decoded(path));
}

function showView(path) {
  desk.showJob("");
  document.title = `${VIEWS[path].title} – Dragoman`;
  sectionOf(path).querySelector("h1").focus({ preventScroll: true });
  VIEWS[path].view.open(api, session);
}

function showWork(id) {
  const title = desk.showJob(id);
  const mayWrite = may(session, "translations:write");
  byId("composer").hidden = Boolean(title) || !mayWrite;
  byId("look-up").hidden = Boolean(title) || mayWrite;
  byId("job").hidden = !title;
  document.title = title ? `${title} – Dragoman` : "Dragoman";
  if (title) return byId("job-title").focus({ preventScroll: true });
  if (id) return lookUp(id);
  return byId(mayWrite ? "text" : "look-up-id").focus({ preventScroll: true });
}

// A job that is not on the list: one of a colleague, or of a program.
async function lookUp(id) {
  const [asking, hash] = [session, location.hash];
  // Whoever asked may have signed out meanwhile, or gone elsewhere.
  const isAwaited = () => session === asking && location.hash === hash;
  try {
    tell(byId("not-found"), "");
    await desk.lookUp(id);
    if (isAwaited()) route();
  } catch (error) {
    if (!isAwaited()) return;
    if (error.status === 401) return void sessionEnded();
    showForm();
    tell(byId("not-found"), sentences(error));
  }
}

function showForm() {
  if (location.hash) history.pushState(null, "", location.pathname);
  route();
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function onSent(entry, text) {
  desk.add(entry, text);
}

// One job is shown; of several each has its row, and so has what was refused.
function onDone(entries, isMoreWaiting) {
  if (entries.length === 1 && !isMoreWaiting) location.hash = encodeURIComponent(entries[0].id);
  else {
    byId("news").textContent = `${count(entries.length, "translation")} begun`;
    byId("sent-files").scrollIntoView({ block: "nearest" });
  }
}

// Escape leads back to the form, unless it closes something or empties a field.
function escaped(event) {
  const isBusy = event.defaultPrevented || document.querySelector("dialog[open], :popover-open");
  if (event.key !== "Escape" || !session || isBusy) return;
  if (event.target.matches?.("input, select, textarea")) return;
  composer.stop();
  if (location.hash) location.hash = "";
}

prepareDialogs();
prepareSignIn(begin);
window.addEventListener("hashchange", route);
document.addEventListener("keydown", escaped);
// The address says what is shown, so this link may not change it.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  byId("main").focus();
});
byId("sign-out").addEventListener("click", signOut);
byId("job-new").addEventListener("click", () => (location.hash = ""));
byId("look-up-form").addEventListener("submit", (event) => {
  event.preventDefault();
  location.hash = encodeURIComponent(byId("look-up-id").value.trim());
});

const known = readSession();
const entered = known ? renewed(known) : enterWithoutKey();
entered.then(
  (found) => (found ? begin(found) : showSignIn()),
  // While the server is away, a tab that was in stays in: the page asks again.
  (error) => (known && error.mayPass ? begin(known) : showSignIn(error.status === 401 ? "" : sentences(error))),
);
