"""The parts of the harness that break things on purpose break what they say, and nothing else."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from clickhouse_connect.driver.exceptions import OperationalError

from deploy.local.machine import PortBook
from deploy.local.settings import StackSettings
from tests.chaos.controls import commit_before_send, send_before_commit
from tests.chaos.disks import MEGABYTES
from tests.chaos.ledger import Ledger
from tests.chaos.processes import processes_left
from tests.chaos.recovery import RecoveryWatch
from tests.chaos.refusing_clickhouse import refuse
from tests.chaos.senders import Content, HttpSender
from tests.chaos.staging import plan, role_of
from tests.chaos.timeline import Timeline
from tests.chaos.traffic import Channel, Request
from tests.fleet import until
from tests.servers import CHECKOUT


class Client:
    """Counts the rows that it took."""

    def __init__(self) -> None:
        self.taken = 0

    def insert_arrow(self, table: str, rows: list[Any]) -> None:
        self.taken += len(rows)


@pytest.mark.parametrize(("refusal", "taken"), [("before", 0), ("after", 2)])
def test_clickhouse_refuses_before_or_after_it_takes_the_rows(tmp_path: Path, refusal: str, taken: int):
    file, client = tmp_path / "refusal", Client()
    refusing = refuse(client, file)
    file.write_text(refusal)
    with pytest.raises(OperationalError):
        refusing.insert_arrow("usage_events", [1, 2])
    assert client.taken == taken

    file.unlink()
    refusing.insert_arrow("usage_events", [3])
    assert client.taken == taken + 1


def test_other_tables_are_never_refused(tmp_path: Path):
    file, client = tmp_path / "refusal", Client()
    file.write_text("before")
    refuse(client, file).insert_arrow("price_list", [1])

    assert client.taken == 1


def test_only_analytics_runs_through_a_wrapper_unless_a_control_breaks_others():
    def wrapped(control: str) -> set[str]:
        settings, ports = StackSettings(root=Path("/r")), PortBook(20_000, {}, lambda _: True)
        specs = plan(Path("/r/refusal"), control, settings, ports)
        return {role_of(spec.name) for spec in specs if any("tests.chaos" in part for part in spec.command)}

    assert wrapped("") == {"analytics"}
    assert wrapped("commit-before-send") == {"analytics", "worker", "assembly"}
    assert wrapped("send-before-commit") == {"analytics", "assembly"}
    assert wrapped("commit-past-hole") == {"analytics", "worker"}


def test_instances_of_a_role_share_its_name():
    assert [role_of(name) for name in ("worker-12", "redis-state", "repair")] == [
        "worker",
        "redis-state",
        "repair",
    ]


class Traced:
    """A cycle's source, handler and producer in one, which records the calls."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.readers = ["reader"]

    def take(self) -> list[str]:
        return ["record"]

    def handle(self, _records: list[str]) -> list[str]:
        self.calls.append("handle")
        return ["output"]

    def commit(self, outputs: list[str], readers: list[str]) -> None:
        self.calls += ["send"] * len(outputs) + ["offsets"] * len(readers)

    def committed(self, _places: object = ()) -> None:
        self.calls.append("committed")


@pytest.mark.parametrize(
    ("broken", "calls"),
    [
        (commit_before_send, ["offsets", "handle", "send", "committed"]),
        (send_before_commit, ["handle", "send", "offsets", "committed"]),
    ],
)
def test_a_control_takes_the_one_transaction_apart(monkeypatch, broken, calls):
    monkeypatch.setattr("tests.chaos.controls._GAP_SECONDS", 0)
    traced: Any = Traced()
    broken(SimpleNamespace(source=traced, handler=traced, producer=traced))

    assert traced.calls == calls


def after(control: str, *steps: str) -> list[str]:
    """Break a worker in a process of its own, do the steps, and return what they printed."""
    code = ["import sys", "from tests.chaos import controls", f"controls.{control}()", *_WORKER, *steps]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(code)], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


_WORKER = (
    "from connectors.kafka.commit_tracker import CommitTracker",
    "from inference_workers.outbox import Outbox",
    "from types import SimpleNamespace",
    "tracker = CommitTracker()",
    "one, two = (tracker.took('t', 0, at, 0.0) for at in range(2))",
    "sent = []",
    "outbox = Outbox(SimpleNamespace(send_async=lambda record, on_done: sent.append(record)))",
)


def test_a_worker_that_commits_past_holes_passes_a_record_that_is_not_finished():
    assert after("commit_past_holes", "tracker.finished(two)", "print(*tracker.due().values())") == ["2"]


def test_outputs_that_are_late_alone_break_nothing():
    steps = ("tracker.finished(two)", "print(len(tracker.due()))")
    assert after("send_some_late", *steps) == ["0"]
    send = "outbox.send(one, [SimpleNamespace(value=b'a')], has_usage=False)"
    late = ("controls._LATE_SECONDS = 0.2", "import time", send)
    assert after("send_some_late", *late, "print(len(sent))", "time.sleep(0.6)", "print(len(sent))") == ["0", "1"]


def test_tasks_run_in_the_order_of_their_times_and_not_before():
    now = 0.0
    timeline, done = Timeline(lambda: now), []
    timeline.add(2.0, lambda: done.append("later"))
    timeline.add(1.0, lambda: done.append("sooner"))
    timeline.do_due()
    assert done == []

    now = 2.5
    timeline.do_due()
    assert done == ["sooner", "later"]
    assert timeline.is_done()


def test_a_process_of_the_stack_is_found_by_its_environment(tmp_path: Path):
    assert processes_left(tmp_path) == []
    marked = {**os.environ, "DRAGOMAN_STACK_ROOT": str(tmp_path)}
    with subprocess.Popen(["sleep", "60"], env=marked) as process:
        try:
            # The kernel shows a new program's environment a moment after Popen returns.
            until(lambda: processes_left(tmp_path), "the process shows its environment")
            assert processes_left(tmp_path) == [process.pid]
        finally:
            process.kill()


class NobodyThere:
    """A stack without processes, for probes that never succeed."""

    def run(self) -> None:
        return None

    def processes(self, role: str) -> dict[str, int]:
        return {}


def test_probes_that_still_wait_end_with_the_watch_even_when_it_is_interrupted(monkeypatch):
    def interrupted(*_arguments: object) -> None:
        raise KeyboardInterrupt

    stack: Any = NobodyThere()
    watch = RecoveryWatch(stack, Ledger())
    watch.watch("kill worker", "worker", "never-answered", {})
    monkeypatch.setattr("tests.chaos.recovery.wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        watch.close(60.0)

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("recovery")]


_FILL = """
import sys
from pathlib import Path
from tests.chaos.disks import open_disks
disks, folder = open_disks(Path(sys.argv[1]), 100), Path(sys.argv[1]) / "objects"
if disks is None:
    sys.exit("not allowed here")
disks.fill("objects")
try:
    (folder / "one").write_bytes(bytes(10_000))
    print("taken")
except OSError:
    print("full")
disks.free("objects")
(folder / "two").write_bytes(bytes(10_000))
"""


def test_a_full_disk_takes_nothing_until_it_is_freed_and_vanishes_with_its_process(tmp_path: Path, needed):
    command = [sys.executable, "-c", _FILL, str(tmp_path)]
    shown = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    needed("not allowed here" not in shown.stderr, "the right to mount")

    assert (shown.returncode, shown.stdout) == (0, "full\n"), shown.stderr
    assert not any((tmp_path / name / "filler").exists() for name in MEGABYTES)


def test_an_answer_that_cannot_be_read_is_no_accepted_request():
    client = httpx.Client(base_url="http://test", transport=httpx.MockTransport(lambda _: httpx.Response(202)))
    sender = HttpSender(client, Content({"a": "Good morning."}, {}), Ledger())
    sender.send(Request("r", "a", "high", Channel.HTTP_WITH_ID))
    until(lambda: not sender.unaccepted(), "the post is over")
    sender.close()
    assert [one.split(":")[0] for one in sender.refused] == ["an answer that cannot be read"]
