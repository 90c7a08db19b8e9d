// Who is signed in, which page is shown, and when it is asked for again.

import { pages as askPages, panel as askPanel, signIn, signOut } from "./api.js";
import { Colors } from "./colors.js";
import { byId, element, tell } from "./elements.js";
import { JobsDialog } from "./jobs_dialog.js";
import { PanelCard } from "./panel_card.js";
import { Toolbar } from "./toolbar.js";
import { clockOf, zone } from "./units.js";
import { addressOf, jobsOfPanel, jobsText, queryOf, readJobs, readState, showsThePresent } from "./view_state.js";

let description = null;
let toolbar = null;
let dialog = null;
let state = null;
let cards = [];
let asking = new AbortController();
let timer = 0;
const colors = new Colors();

const pageOf = (id) => description.pages.find((page) => page.id === id) ?? description.pages[0];

async function begin() {
  try {
    description = await askPages();
  } catch (problem) {
    if (problem.status === 401) showSignIn(problem);
    else {
      tell(byId("connection"), `${problem.message} ${problem.cure}`);
      setTimeout(begin, 5000);
    }
    return;
  }
  tell(byId("connection"), "");
  byId("sign-in").hidden = true;
  byId("dashboard").hidden = false;
  byId("pages").hidden = false;
  byId("sign-out").hidden = false;
  toolbar ??= new Toolbar(description, change);
  dialog ??= new JobsDialog(description.jobs, {
    change: (jobs) => change({ jobs: jobs ? jobsText(jobs) : "" }),
    filter: (name, value) => change({ [name]: value, jobs: "" }),
    refused: showSignIn,
  });
  show(readState(location), { isNew: true });
}

function showSignIn(problem) {
  stop();
  for (const id of ["dashboard", "pages", "sign-out"]) byId(id).hidden = true;
  byId("jobs").close();
  byId("sign-in").hidden = false;
  const isOldLink = new URLSearchParams(location.search).get("signed-in") === "no";
  tell(byId("sign-in-problem"), isOldLink ? "This link was used already, or it is too old. Run dragoman dashboard again." : "");
  byId("token").focus();
  document.title = "Sign in: Dragoman";
  return problem;
}

byId("sign-in-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await signIn(byId("token").value.trim());
    byId("token").value = "";
    if (location.search.includes("signed-in")) history.replaceState(null, "", location.pathname);
    await begin();
  } catch (problem) {
    tell(byId("sign-in-problem"), problem.status === 401 ? "This is not the token." : problem.message);
    byId("token").focus();
  }
});

byId("reset").addEventListener("click", () => change(readState({ pathname: state.page, search: "" })));

byId("sign-out").addEventListener("click", async () => {
  try {
    await signOut();
  } catch {
    // Without the server nothing can be asked either.
  }
  showSignIn();
});

function change(part) {
  const next = { ...state, ...part };
  history.pushState(null, "", addressOf(next));
  show(next);
}

window.addEventListener("popstate", () => description && show(readState(location)));

function show(next, { isNew = false } = {}) {
  const page = pageOf(next.page);
  const isOtherPage = isNew || page.id !== state?.page;
  const isSame = !isOtherPage && queryOf(next).toString() === queryOf(state).toString() && next.live === state.live;
  state = { ...next, page: page.id };
  showPages();
  toolbar.show(state);
  if (isOtherPage) build(page);
  if (isOtherPage && !isNew) byId("page-title").focus({ preventScroll: true });
  dialog.show(readJobs(state.jobs), state);
  if (!isSame) refresh();
}

function showPages() {
  byId("pages").replaceChildren(
    ...description.pages.map(({ id, title }) => {
      const link = element("a", { href: addressOf({ ...state, page: id, jobs: "" }), textContent: title });
      if (id === state.page) link.setAttribute("aria-current", "page");
      link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        change({ page: id, jobs: "" });
      });
      return link;
    }),
  );
}

function build(page) {
  document.title = `${page.title}: Dragoman`;
  byId("page-title").textContent = page.title;
  byId("page-about").textContent = page.about;
  cards.forEach((card) => card.close());
  const on = {
    zoom: (from, to) => change({ from: String(from), to: String(to) }),
    jobs: (kind, from, to) => change({ jobs: jobsText(jobsOfPanel(kind, from, to)) }),
    filter: (name, value) => change({ [name]: value }),
    retry: (card) => fill(card, queryOf(state), asking.signal),
  };
  cards = page.panels.map((panel) => new PanelCard(panel, colors, on));
  byId("panels").replaceChildren(...cards.map((card) => card.view));
}

function stop() {
  clearTimeout(timer);
  asking.abort();
  asking = new AbortController();
}

async function refresh() {
  stop();
  const { signal } = asking;
  const query = queryOf(state);
  const work = cards.map((card) => fill(card, query, signal));
  work.push(toolbar.learn(state, signal).catch((problem) => problem));
  const problems = (await Promise.all(work)).filter(Boolean);
  if (signal.aborted) return;
  told(problems);
  if (state.live === "on" && showsThePresent(state)) timer = setTimeout(turn, description.refresh_seconds * 1000);
}

// A page that nobody sees asks nothing.
function turn() {
  if (document.hidden) document.addEventListener("visibilitychange", refresh, { once: true });
  else refresh();
}

// Returns the problem, if there is one.
async function fill(card, query, signal) {
  card.asks(query, state);
  try {
    const answer = await askPanel(card.panel.id, query, signal);
    if (!signal.aborted) card.shows(answer);
  } catch (problem) {
    if (problem.name === "AbortError" || signal.aborted) return null;
    if (problem.status === undefined) throw problem;
    // What is shown stays while nobody answers, or too many ask.
    if ([0, 503].includes(problem.status) && card.answer) card.rests();
    else card.fails(problem);
    return problem;
  }
  return null;
}

function told(problems) {
  const gone = problems.find((one) => one.status === 0);
  tell(byId("connection"), gone ? `${gone.message} ${gone.cure}` : "");
  const unknown = problems.find((one) => one.status === 401);
  if (unknown) {
    showSignIn(unknown);
    return;
  }
  const bad = problems.find((one) => one.code === "bad_parameter");
  const limit = bad?.limit ? ` Allowed: ${bad.limit}.` : "";
  tell(byId("refused-why"), bad ? `The address asks for something that cannot be shown. ${bad.message}.${limit} Cure: ${bad.cure}.` : "");
  byId("refused").hidden = !bad;
  byId("panels").hidden = Boolean(bad);
  const isLive = state.live === "on" && showsThePresent(state);
  byId("fresh").textContent = gone || bad ? "" : `${isLive ? "Live, " : ""}as of ${clockOf(Date.now() / 1000)}, ${zone()}`;
  byId("fresh").classList.toggle("live", isLive && !gone && !bad);
}

// Colours are drawn, so they are drawn anew where they change.
for (const query of ["(prefers-color-scheme: dark)", "print"]) {
  matchMedia(query).addEventListener("change", () => cards.forEach((card) => card.redraw()));
}

begin();
