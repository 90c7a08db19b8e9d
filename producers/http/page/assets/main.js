// The page as a whole: who is signed in, which job is shown, and what is asked of the server meanwhile.

import { Api } from "./api.js";
import { Composer } from "./composer.js";
import { byId, element, tell } from "./elements.js";
import { follow, sleep } from "./follow.js";
import { showList } from "./job_list.js";
import { JobView } from "./job_view.js";
import { RecentJobs } from "./recent_jobs.js";
import { accountOf, enterWithoutKey, forgetSession, readSession } from "./session.js";
import { prepareSignIn, showSignIn } from "./sign_in.js";
import { count, sentences, stateOf } from "./wording.js";

// Running jobs are looked at in turn, so that ten of them ask no more often than one.
const LOOK_SECONDS = 2;

const view = new JobView();
const composer = new Composer({ onSent, onDone, onSignedOut: sessionEnded });
let session = null;
let api = null;
let jobs = null;
// What is known of the jobs beside the list: id -> {job, text, progress, trouble}.
let live = new Map();
let following = null;
let looking = null;

const openId = () => decodeURIComponent(location.hash.slice(1));
const liveOf = (id) => live.get(id) ?? live.set(id, { job: null, text: "", progress: 0, trouble: "" }).get(id);

function begin(found) {
  session = found;
  api = new Api(session.secret);
  jobs = new RecentJobs(accountOf(session));
  jobs.addEventListener("change", showJobs);
  live = new Map();
  showAccount();
  byId("work").hidden = false;
  composer.open(api);
  looking = new AbortController();
  lookInTurn(looking.signal);
  route();
}

function end(reason = "") {
  for (const running of [following, looking]) running?.abort();
  forgetSession();
  composer.close();
  session = api = jobs = following = looking = null;
  for (const id of ["work", "account", "connection"]) byId(id).hidden = true;
  if (location.hash) history.replaceState(null, "", location.pathname);
  document.title = "Dragoman";
  showSignIn(reason);
}

function sessionEnded() {
  end("Your session has ended. Sign in again.");
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
}

// What the address names is shown: nothing behind the # is the form, else a job.
function route() {
  if (!jobs) return;
  following?.abort();
  const entry = jobs.find(openId());
  byId("composer").hidden = Boolean(entry);
  byId("job").hidden = !entry;
  document.title = entry ? `${entry.title} – Dragoman` : "Dragoman";
  showJobs();
  if (!entry) return byId("text").focus();
  byId("job-title").focus({ preventScroll: true });
  window.scrollTo(0, 0);
  following = new AbortController();
  return followJob(entry.id, following.signal);
}

function showJobs() {
  showList(jobs.all, openId(), (id) => live.get(id)?.job?.batches_done);
  const entry = jobs.find(openId());
  if (entry && !byId("job").hidden) view.show(entry, jobs.textOf(entry.id), liveOf(entry.id));
}

async function followJob(id, signal) {
  const known = liveOf(id);
  if (known.job?.is_finished) return;
  // The stream begins with the first part again.
  Object.assign(known, { text: "", progress: 0 });
  const listener = {
    onBatch: (batch) => {
      Object.assign(known, { text: known.text + batch.text, progress: batch.progress });
      isReached();
      showJobs();
    },
    onResult: (job) => jobSeen(job),
    onTrouble: (error, seconds) => isLost(error, seconds),
  };
  await follow(api, id, listener, signal).catch((error) => failed(id, error));
}

function jobSeen(job) {
  isReached();
  const [known, entry] = [liveOf(job.job_id), jobs?.find(job.job_id)];
  if (!entry || known.job?.is_finished) return;
  Object.assign(known, { job, trouble: "" });
  if (job.is_finished) {
    const status = job.result?.status || job.status;
    byId("news").textContent = `${entry.title}: ${stateOf(status)[0]}`;
    jobs.change(entry.id, { status, detected: job.result?.detected_language ?? "" });
  }
  showJobs();
}

function failed(id, error) {
  if (error.status === 401) return sessionEnded();
  if (error.status === 404) return jobs?.change(id, { status: "LOST" });
  liveOf(id).trouble = error.status === undefined ? "The page met an unexpected error. Reload it." : sentences(error);
  if (error.status === undefined) console.error(error);
  return showJobs();
}

async function lookInTurn(signal) {
  for (let turn = 0; !signal.aborted; turn += 1) {
    const running = document.hidden ? [] : jobs.running;
    if (running.length) await lookAt(running[turn % running.length].id, signal);
    await sleep(LOOK_SECONDS, signal);
  }
}

async function lookAt(id, signal) {
  try {
    const job = await api.job(id);
    if (!signal.aborted) jobSeen(job);
  } catch (error) {
    if (signal.aborted) return;
    if (!error.mayPass) return failed(id, error);
    isLost(error, error.retryAfterSeconds ?? LOOK_SECONDS);
    await sleep(error.retryAfterSeconds ?? 0, signal);
  }
}

function isLost(error, seconds) {
  const what = error.isUnreachable ? "The server cannot be reached." : sentences({ message: error.message });
  tell(byId("connection"), `${what} The page asks again every ${count(Math.ceil(seconds), "second")}; nothing is lost.`);
}

function isReached() {
  tell(byId("connection"), "");
}

function onSent(entry, text) {
  jobs.add(entry, text);
}

function onDone(entries) {
  if (entries.length > 1) byId("news").textContent = `${count(entries.length, "translation")} begun`;
  location.hash = entries[0].id;
}

const shownResult = () => live.get(openId())?.job?.result;

function download() {
  const entry = jobs.find(openId());
  const url = URL.createObjectURL(new Blob([shownResult().text], { type: "text/plain;charset=utf-8" }));
  const letters = entry.title.replace(/\.(txt|text)$/i, "").replaceAll(/[^\p{L}\p{N}._ -]+/gu, "");
  const name = letters.slice(0, 60).replace(/[. ]+$/, "");
  element("a", { href: url, download: `${name || "translation"}.${entry.target}.txt` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

async function copy() {
  try {
    await navigator.clipboard.writeText(shownResult().text);
    byId("news").textContent = "Copied";
    byId("job-copy").textContent = "Copied";
    setTimeout(() => (byId("job-copy").textContent = "Copy"), 2000);
  } catch {
    byId("job-copy").textContent = "The browser allows no copying here";
  }
}

async function cancel() {
  const id = openId();
  await api.cancel(id).then(jobSeen).catch((error) => failed(id, error));
}

function forget(remove) {
  remove();
  if (location.hash) location.hash = "";
  else route();
}

prepareSignIn(begin);
window.addEventListener("hashchange", route);
byId("sign-out").addEventListener("click", signOut);
byId("job-copy").addEventListener("click", copy);
byId("job-download").addEventListener("click", download);
byId("job-cancel").addEventListener("click", cancel);
byId("job-new").addEventListener("click", () => (location.hash = ""));
byId("job-forget").addEventListener("click", () => forget(() => jobs.remove(openId())));
byId("clear").addEventListener("click", () => forget(() => jobs.clear()));

const known = readSession();
if (known) begin(known);
else enterWithoutKey().then((guest) => (guest ? begin(guest) : showSignIn()), (error) => showSignIn(sentences(error)));
