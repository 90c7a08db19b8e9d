"""The list of recent jobs that several tabs of one browser share, in Node.js, each tab with a list of its own."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

MODULE = Path(__file__).parents[3] / "producers" / "http" / "page" / "assets" / "jobs" / "recent_jobs.js"
BROWSER = """
class Storage {
  constructor(most = Infinity) { Object.defineProperty(this, "most", { value: most, writable: true }); }
  getItem(name) { return Object.hasOwn(this, name) ? this[name] : null; }
  setItem(name, text) { if (text.length > this.most) throw new Error("full"); this[name] = text; }
  removeItem(name) { delete this[name]; }
}
globalThis.window = new EventTarget();
globalThis.localStorage = new Storage();
globalThis.sessionStorage = new Storage();
const { RecentJobs } = await import("./recent_jobs.mjs");
const entry = (id) => ({ id, title: id, status: "" });
const ids = (jobs) => jobs.all.map(({ id, status }) => id + status);
// What a browser tells the other tabs.
const told = (key) => window.dispatchEvent(Object.assign(new Event("storage"), { key }));
const [one, other] = [new RecentJobs("acme/me"), new RecentJobs("acme/me")];
"""

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")


@pytest.fixture
def run(tmp_path):
    """`run(script)` returns what the script shows, as JSON."""
    shutil.copy(MODULE, tmp_path / "recent_jobs.mjs")

    def shown(script: str):
        (tmp_path / "test.mjs").write_text(f"{BROWSER}\n{script}")
        done = subprocess.run(["node", "test.mjs"], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return shown


def test_what_two_tabs_send_is_on_the_list_of_both(run):
    script = """
    one.add(entry("a"));
    other.add(entry("b"));
    one.change("a", { status: "DONE" });
    console.log(JSON.stringify([ids(one), ids(other), ids(new RecentJobs("acme/me"))]));
    """
    assert run(script) == [["b", "aDONE"], ["b", "a"], ["b", "aDONE"]]


def test_a_job_that_another_tab_took_off_the_list_stays_off_it(run):
    script = """
    one.add(entry("a")); one.add(entry("b"));
    other.remove("a");
    one.change("a", { status: "DONE" }); one.change("b", { status: "DONE" });
    other.clear();
    one.add(entry("c"));
    console.log(JSON.stringify([ids(one), ids(new RecentJobs("acme/me"))]));
    """
    assert run(script) == [["c"], ["c"]]


def test_a_tab_shows_what_another_one_changed(run):
    script = """
    let shown = [];
    other.addEventListener("change", () => (shown = ids(other)));
    one.add(entry("a")); told("dragoman.jobs:acme/me");
    const first = shown;
    one.add(entry("b")); told("dragoman.jobs:acme/somebody else");
    const second = shown;
    told(null);
    const third = shown;
    other.close();
    one.add(entry("c")); told("dragoman.jobs:acme/me");
    console.log(JSON.stringify([first, second, third, shown]));
    """
    assert run(script) == [["a"], ["a"], ["b", "a"], ["b", "a"]]


def test_where_nothing_can_be_kept_the_list_lives_as_long_as_the_tab(run):
    script = """
    localStorage.most = 40;
    one.add(entry("a")); one.add(entry("b")); one.change("a", { status: "DONE" });
    console.log(JSON.stringify([ids(one), ids(other)]));
    """
    assert run(script) == [["b", "aDONE"], []]


def test_what_is_no_list_is_none(run):
    script = """
    localStorage["dragoman.jobs:acme/me"] = '{"a": 1}';
    one.add(entry("a"));
    console.log(JSON.stringify([ids(one), ids(new RecentJobs("acme/me"))]));
    """
    assert run(script) == [["a"], ["a"]]
