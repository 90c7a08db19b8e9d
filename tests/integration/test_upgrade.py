"""An upgrade in processes: a worker of one release beside an intake of the next one (docs/upgrading.md)."""

import json
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

import schemas
from schemas.messages import TranslationRequest
from tests.fleet import until

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(240)]

INTAKE, WORKER, ASSEMBLY = "stream_apps.intake.main", "inference_workers.main", "stream_apps.assembly.main"
NEW_FIELD = {"name": "note", "type": ["null", "string"], "default": None}
OLD_LINE = "    code_ends: Sequence[str] = ()"
OLD_RELEASE = "1"


@pytest.fixture
def next_release(tmp_path) -> Path:
    """The folder of a release whose batches for workers have one field more."""
    root = tmp_path / "next_release"
    shutil.copytree(Path(schemas.__file__).parent, root / "schemas")
    avro = root / "schemas" / "avro"
    path = avro / "SegmentBatch.avsc"
    batch = json.loads(path.read_text())
    batch["fields"].append(NEW_FIELD)
    path.write_text(json.dumps(batch))
    messages = root / "schemas" / "messages.py"
    messages.write_text(messages.read_text().replace(OLD_LINE, f"{OLD_LINE}\n    note: str | None = None", 1))
    newest = len(list((avro / "released").iterdir())) + 1
    shutil.copytree(avro, avro / "released" / f"v{newest}", ignore=shutil.ignore_patterns("released"))
    return root


@pytest.fixture
def start_next(fleet, next_release):
    """Start a module of the next release."""

    def start(module, name, **environment):
        path = os.pathsep.join([str(next_release), *sys.path])
        # -P: the schemas of the current folder would come first.
        fleet.start(module, name, script=("-P", "-m", module), PYTHONPATH=path, **environment)
        fleet.wait_until_ready(name)

    return start


def send(fleet):
    """Send some requests; return their ids."""
    ids = [str(uuid.uuid4()) for _ in range(6)]
    text = "The garden behind house {} is green."
    fleet.send(
        [
            TranslationRequest(
                tenant="tests", request_id=one, target_language="pt", source_language="en", text=text.format(one)
            )
            for one in ids
        ]
    )
    return ids


def dragoman(fleet, *arguments):
    """Run the command line against the fleet's Kafka; return what it prints as JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "producers.cli.main", *arguments, "--json"],
        env=fleet._environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def undecodable(fleet):
    """Count them: whose they were is not known."""
    return len(dragoman(fleet, "dead-letters", "list", "--cause", "undecodable"))


def test_an_old_worker_serves_a_new_intake_that_writes_the_old_release(fleet, start_next):
    before = undecodable(fleet)
    fleet.start(WORKER, "worker")
    fleet.start(ASSEMBLY, "assembly")
    start_next(INTAKE, "intake", DRAGOMAN_KAFKA_WRITE_RELEASE=OLD_RELEASE)
    ids = send(fleet)
    fleet.answers["assembly"].wait_for(ids)
    assert undecodable(fleet) == before


def test_what_an_old_worker_could_not_read_is_answered_after_its_upgrade_and_a_redrive(fleet, start_next):
    before = undecodable(fleet)
    fleet.start(WORKER, "worker")
    fleet.start(ASSEMBLY, "assembly")
    start_next(INTAKE, "intake")
    ids = send(fleet)
    until(lambda: undecodable(fleet) == before + len(ids), "a dead letter for each")
    assert not fleet.answers["assembly"].counts(0.5).keys() & set(ids)
    fleet.stop("worker")
    start_next(WORKER, "newer worker")
    dragoman(fleet, "dead-letters", "redrive", "--cause", "undecodable")
    fleet.answers["assembly"].wait_for(ids)
    assert undecodable(fleet) == before
