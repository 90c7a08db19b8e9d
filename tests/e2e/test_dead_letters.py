"""What failed is sent again, and every redrive is answered once: holes are filled, refusals answered anew."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.main import read_run, scale, scale_automatically
from tests.outside import Outside

WORKER = Path(__file__).with_name("worker_with_holes.py")
GARDEN = "The garden is green."
LEMONS = "My lemons are yellow."
HOUSE = "The house is big."


class Platform:
    """The topics of the stack, and the command."""

    def __init__(self, stack):
        self.stack = stack
        self.outside = Outside(stack.kafka_bootstrap)
        self.results = self.outside.tail("translation.results")
        self.dead_letters = self.outside.tail("translation.dead_letters")

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "DRAGOMAN_LOCAL_ROOT": str(self.stack.root)}
        run = [sys.executable, "-m", "producers.cli.main", "dead-letters", *arguments]
        return subprocess.run(run, env=environment, capture_output=True, text=True, timeout=60, check=False)

    def open_dead_letters(self, request_id: str) -> list[dict]:
        return json.loads(self.command("list", "--request", request_id, "--json").stdout)

    def redrive(self, request_id: str) -> dict:
        ran = self.command("redrive", "--request", request_id, "--json")
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)

    def version(self, request_id: str, version: int) -> dict:
        def is_there(read):
            return any((one["request_id"], one["version"]) == (request_id, version) for one in read)

        found = self.results.until(is_there)
        return next(one for one in found if (one["request_id"], one["version"]) == (request_id, version))

    def versions(self, request_id: str) -> list[int]:
        """Return all answers, after enough time for one that must not come."""
        self.results.more(2.0)
        return [one["version"] for one in self.results.read if one["request_id"] == request_id]

    def dead_letter_with_attempt(self, request_id: str, attempt: int) -> dict:
        def mine(read):
            return [one for one in read if (one["request_id"], one["attempt"]) == (request_id, attempt)]

        return mine(self.dead_letters.until(mine))[0]


@pytest.fixture
def platform(stack) -> Iterator[Platform]:
    found = Platform(stack)
    yield found
    found.results.close()
    found.dead_letters.close()


@pytest.fixture(scope="module")
def flag(stack, tmp_path_factory) -> Iterator[Path]:
    """While the file exists, sentences with lemons fail: no other worker runs."""
    path = tmp_path_factory.mktemp("flag") / "lemons-fail"
    scale(stack.root, 0)
    while any(name.startswith("worker") for name in read_run(stack.root).processes):
        time.sleep(0.1)
    with worker_with_holes(stack, path):
        yield path
    scale(stack.root, 2)
    while not {"worker-1", "worker-2"} <= read_run(stack.root).processes.keys():
        time.sleep(0.1)
    scale_automatically(stack.root)


@contextmanager
def worker_with_holes(stack, flag: Path) -> Iterator[None]:
    run = read_run(stack.root)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "DRAGOMAN_INSTANCE": "worker-with-holes",
        "DRAGOMAN_KAFKA_BOOTSTRAP": run.kafka_bootstrap,
        "DRAGOMAN_REDIS_CACHE_URL": run.redis_cache_url,
        "DRAGOMAN_REDIS_STATE_URL": run.redis_state_url,
        "OMP_NUM_THREADS": "1",
    }
    process = subprocess.Popen(
        [sys.executable, str(WORKER), str(flag), "lemons"], env=environment, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def test_the_holes_of_a_partial_result_are_filled_and_nothing_is_billed_twice(platform, flag):
    flag.touch()
    text = f"{GARDEN}  {LEMONS}\n\n{HOUSE} {LEMONS}\n"
    request_id = platform.outside.send_request("high", text=text)
    first = platform.version(request_id, 1)
    assert (first["status"], [hole["segment"] for hole in first["holes"]]) == ("PARTIAL", [1, 3])
    for hole in first["holes"]:
        assert first["text"][hole["start"] : hole["start"] + hole["length"]] == LEMONS
    assert [dead_letter["cause"] for dead_letter in platform.open_dead_letters(request_id)] == [
        "repetition_loop"
    ] * 2

    done = platform.redrive(request_id)
    assert (len(done["closed"]), done["sent"], done["versions"]) == (2, 1, {f"tests/{request_id}": 2})
    second = platform.version(request_id, 2)
    assert (second["status"], second["text"], second["holes"]) == ("PARTIAL", first["text"], first["holes"])
    assert platform.dead_letter_with_attempt(request_id, 2)["stage"] == "inference"

    flag.unlink()
    platform.redrive(request_id)
    third = platform.version(request_id, 3)
    assert (third["status"], third["holes"], third["segments"]) == ("COMPLETED", [], 4)
    assert "lemons" not in third["text"]
    assert third["text"].replace(translation_of(third, first), LEMONS) == first["text"]
    assert third["source_words"] == first["source_words"] == 16
    assert platform.versions(request_id) == [1, 2, 3]
    assert platform.stack.analytics().billed([request_id] * 3) == (3, 16)
    assert platform.open_dead_letters(request_id) == []


def translation_of(corrected: dict, before: dict) -> str:
    """What stands where the first hole was: as long as the corrected text is longer, shared by two holes."""
    hole = before["holes"][0]
    grown = (len(corrected["text"]) - len(before["text"])) // len(before["holes"])
    return corrected["text"][hole["start"] : hole["start"] + hole["length"] + grown]


def test_a_request_of_which_every_sentence_failed_is_translated_again(platform, flag):
    flag.touch()
    # A sentence of its own: by now the memory knows the other one.
    request_id = platform.outside.send_request("high", text="Five lemons fall down.")
    first = platform.version(request_id, 1)
    assert (first["status"], first["source_words"]) == ("FAILED", 0)
    flag.unlink()
    platform.redrive(request_id)
    second = platform.version(request_id, 2)
    assert (second["status"], second["holes"], second["source_words"]) == ("COMPLETED", [], 4)
    assert platform.versions(request_id) == [1, 2]
    assert platform.stack.analytics().billed([request_id] * 2) == (2, 4)


def test_a_refused_request_is_refused_again_once_for_each_redrive(platform):
    request_id = platform.outside.send_request("standard", text="Hello.", target_language="xx")
    assert platform.version(request_id, 1)["error_cause"] == "unsupported_pair"
    platform.redrive(request_id)
    second = platform.version(request_id, 2)
    assert (second["status"], second["error_cause"]) == ("FAILED", "unsupported_pair")
    assert platform.dead_letter_with_attempt(request_id, 2)["cause"] == "unsupported_pair"
    assert platform.versions(request_id) == [1, 2]
    assert [dead_letter["attempt"] for dead_letter in platform.open_dead_letters(request_id)] == [2]
    assert platform.command("drop", "--request", request_id).returncode == 0
    assert platform.open_dead_letters(request_id) == []
