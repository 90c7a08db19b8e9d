"""What runs and where: `.dragoman/run.json`, there as long as the stack runs."""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from deploy.local.atomic_file import write_atomically
from deploy.local.failures import not_running


@dataclass(frozen=True)
class RunInfo:
    """The addresses and processes of a running stack. `started_at` in seconds since 1970.

    `processes` maps names to process ids; a name is missing while its process waits to be restarted.
    `is_ready` becomes true when every process has been ready once.
    `workers` and `max_workers` are the bounds of the autoscaler.
    """

    kafka_bootstrap: str
    http_url: str
    analytics_url: str
    redis_cache_url: str
    redis_state_url: str
    data_dir: str
    supervisor_pid: int
    started_at: float
    workers: int = 0
    max_workers: int = 0
    is_ready: bool = False
    processes: dict[str, int] = field(default_factory=dict)
    health_urls: dict[str, str] = field(default_factory=dict)


class RunFile:
    """Keeps the file equal to what runs. Written by the supervisor alone."""

    def __init__(self, root: Path, info: RunInfo) -> None:
        self._path = path_of(root)
        self._info = info

    def set_process(self, name: str, pid: int | None) -> None:
        """The process of that name is now `pid`, or gone."""
        if self._info.processes.get(name) == pid:
            return
        others = {other: number for other, number in self._info.processes.items() if other != name}
        self._info = replace(self._info, processes=others if pid is None else {**others, name: pid})
        self.write()

    def set_health_urls(self, urls: dict[str, str]) -> None:
        """After the number of workers changed."""
        self._info = replace(self._info, health_urls=urls)
        self.write()

    def set_ready(self) -> None:
        """All are up."""
        self._info = replace(self._info, is_ready=True)
        self.write()

    def write(self) -> None:
        """Readers see the old or the new file, never a half."""
        write_atomically(self._path, json.dumps(asdict(self._info), indent=2))

    def remove(self) -> None:
        """Nothing runs any more."""
        self._path.unlink(missing_ok=True)


def path_of(root: Path) -> Path:
    """Where the run file of a root is."""
    return root / "run.json"


def read_run(root: Path) -> RunInfo:
    """What the supervisor wrote last. Raises StackError when there is no run file."""
    try:
        return RunInfo(**json.loads(path_of(root).read_text()))
    except FileNotFoundError:
        raise not_running(root) from None
