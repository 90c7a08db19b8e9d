"""How a number of replicas is applied, by a stack on this machine or by polling."""

from pathlib import Path

import pytest

from deploy.autoscaler.fleet import LocalFleet, PolledFleet, RequestedReplicas
from deploy.local.state_files import Author, DesiredWorkers, RunFile, RunInfo, write_desired
from schemas.errors import TransientError


def test_a_polled_fleet_is_at_first_as_it_is_found() -> None:
    fleet = PolledFleet()
    assert fleet.requested(ready=15) == RequestedReplicas(15)
    fleet.request(12)
    assert fleet.requested(ready=15) == RequestedReplicas(12)


def test_the_local_fleet_goes_by_the_files_of_the_stack(tmp_path: Path) -> None:
    info = RunInfo("k", "h", "a", "r", "s", "d", supervisor_pid=1, started_at=0.0, workers=2, max_workers=6)
    RunFile(tmp_path, info).write()
    fleet = LocalFleet(tmp_path)

    assert fleet.bounds() == (2, 6)
    assert fleet.requested(ready=0) == RequestedReplicas(2)
    write_desired(tmp_path, DesiredWorkers(4, Author.PERSON))
    assert fleet.requested(ready=0) == RequestedReplicas(4, is_pinned=True)


def test_a_full_disk_is_an_outage_of_the_local_fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_root: Path, _workers: int) -> bool:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("deploy.autoscaler.fleet.propose_scale", full)
    with pytest.raises(TransientError, match="No space left"):
        LocalFleet(tmp_path).request(3)


def test_a_local_fleet_without_a_stack_is_away_for_now(tmp_path: Path) -> None:
    with pytest.raises(TransientError, match="no stack is running"):
        LocalFleet(tmp_path).request(3)
    with pytest.raises(TransientError, match="no stack is running"):
        LocalFleet(tmp_path).bounds()
