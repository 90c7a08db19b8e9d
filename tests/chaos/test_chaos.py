"""`make chaos` in short: nothing is lost or doubled under kills, and what is broken on purpose is caught."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.servers import CHECKOUT

pytestmark = pytest.mark.timeout(600)

INVARIANTS = (
    "lost",
    "duplicates",
    "wrong_text",
    "billing_difference",
    "offsets_backwards",
    "processes_left",
    "unheard",
    "untold",
    "miscopied",
    "unerased",
)


def run_chaos(folder: Path, *options: str) -> tuple[int, dict[str, Any], str]:
    """Return the exit code, the report, and what was printed."""
    report = folder / "chaos.json"
    files = ("--root", str(folder / "root"), "--report", str(report))
    command = [sys.executable, "-m", "tests.chaos", *options, *files]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    shown = done.stdout + done.stderr
    assert done.returncode in (0, 1), shown
    assert report.exists(), shown
    return done.returncode, json.loads(report.read_text()), shown


@pytest.fixture
def java(needed: Any) -> None:
    needed(shutil.which("java"), "Java, for Kafka")


@pytest.mark.usefixtures("java")
def test_nothing_is_lost_or_doubled_while_everything_is_killed(tmp_path: Path):
    code, report, shown = run_chaos(tmp_path, "--kills", "12", "--requests", "300", "--seed", "1")

    assert {name: report[name] for name in INVARIANTS} == dict.fromkeys(INVARIANTS, 0), (report, shown)
    assert report["kills"] == 12
    assert report["requests"] > 300
    assert code == 0


@pytest.mark.slow
@pytest.mark.usefixtures("java")
@pytest.mark.parametrize(
    ("control", "kills", "seed"), [("commit-before-send", "8", "1"), ("commit-past-hole", "12", "3")]
)
def test_offsets_that_pass_what_is_not_sent_are_caught(tmp_path: Path, control: str, kills: str, seed: str):
    options = ("--kills", kills, "--requests", "250", "--seed", seed, "--control", control)
    code, report, shown = run_chaos(tmp_path, *options)

    assert report["lost"] > 0, shown
    assert report["control"] == control
    assert code == 1


@pytest.mark.slow
@pytest.mark.usefixtures("java")
def test_a_text_that_outlives_its_erasure_is_caught(tmp_path: Path):
    options = ("--kills", "10", "--requests", "250", "--seed", "1", "--control", "erase-open-only")
    code, report, shown = run_chaos(tmp_path, *options)

    assert report["unerased"] > 0, shown
    assert code == 1
