"""What the broker needs before it can run: its jars, their classes, its configuration, its formatted storage.

`python -m deploy.local.kafka.prepare FILES LIBRARIES DATA PORT CONTROLLER_PORT` runs before every start;
a step is skipped when its result is there. The cluster keeps its id.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.local.atomic_file import write_atomically
from deploy.local.kafka.broker import POM, Broker, new_cluster_id, server_properties
from deploy.local.kafka.class_archive import make_archive


def prepare(broker: Broker) -> None:
    """Jars, configuration, formatted storage. Raises CalledProcessError when a tool fails."""
    if not has_jars(broker.libraries):
        fetch_jars(broker.libraries)
    if not broker.archive.exists():
        make_archive(broker)
    write_atomically(broker.properties_file, server_properties(broker))
    if not is_formatted(broker.data):
        broker.data.mkdir(parents=True, exist_ok=True)
        subprocess.run(broker.format_command(new_cluster_id()), check=True)


def has_jars(libraries: Path, pom: Path = POM) -> bool:
    """Whether the jars of this very pom.xml are there, all of them."""
    stamp = _stamp(libraries)
    return stamp.exists() and stamp.read_text() == _hash_of(pom)


def fetch_jars(libraries: Path, pom: Path = POM) -> None:
    """About 55 MB from Maven's repository. They get their name last, so that a broken fetch is made again."""
    fetched = libraries.with_name(f"{libraries.name}.{os.getpid()}")
    goal = ("dependency:copy-dependencies", f"-DoutputDirectory={fetched}", "-DincludeScope=runtime")
    subprocess.run(("mvn", "-q", "-B", "-f", str(pom), *goal), check=True)
    write_atomically(_stamp(fetched), _hash_of(pom))
    shutil.rmtree(libraries, ignore_errors=True)
    fetched.rename(libraries)


def is_formatted(data: Path) -> bool:
    """Kafka writes this file last when it formats."""
    return (data / "meta.properties").exists()


def main() -> None:
    """Exit code 1 when a tool failed, having said why itself."""
    files, libraries, data, port, controller_port = sys.argv[1:]
    try:
        prepare(Broker(Path(files), Path(libraries), Path(data), int(port), int(controller_port)))
    except subprocess.CalledProcessError as error:
        sys.exit(f"{Path(error.cmd[0]).name} failed with code {error.returncode}")


def _stamp(libraries: Path) -> Path:
    return libraries / "complete"


def _hash_of(pom: Path) -> str:
    return hashlib.sha256(pom.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
