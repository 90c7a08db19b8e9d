"""The examples that speak HTTP run as they stand, each where its tool chain is on the machine."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.openapi.platform import served

HTTP = Path(__file__).parents[2] / "examples" / "http"
EXAMPLES = {
    "translate.sh": (["bash"], "curl"),
    "translate.py": ([sys.executable], sys.executable),
    "translate.mjs": (["node"], "node"),
    "Translate.java": (["java"], "java"),
    "translate.go": (["go", "run"], "go"),
}


def test_every_example_is_run():
    assert {path.name for path in HTTP.iterdir()} == EXAMPLES.keys()


@pytest.mark.slow
@pytest.mark.timeout(600)  # Go compiles its library once
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_waits_follows_events_and_translates_a_document(name, tmp_path):
    command, tool = EXAMPLES[name]
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not on this machine")
    file = tmp_path / "letter.txt"
    file.write_text("Good morning.\n")
    with served() as (url, key):
        ran = subprocess.run(
            [*command, HTTP / name, url, key, file], capture_output=True, text=True, timeout=500, check=False
        )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == [
        "waited: Bom dia.",
        "events: Bom dia.",
        f"document: {file.stat().st_size} bytes in {file}.pt",
    ]
    assert Path(f"{file}.pt").read_bytes() == file.read_bytes()
