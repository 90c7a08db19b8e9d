"""The broker's classes in one file that the JVM maps when it starts, instead of reading and checking 90 jars.

Made once for each set of jars: a broker of its own, which knows nothing, writes down what it has loaded when it
is stopped. A start then takes 1.6 s and 2.0 CPU seconds instead of 3.3 to 4.8 s and 3.9 (two shared cores), which
is felt where many processes start at once. A JVM that cannot use the file goes on without it.

What the broker needs before it can run: its jars, their classes, its configuration, its formatted storage.

`python -m deploy.local.kafka_files FILES LIBRARIES DATA PORT CONTROLLER_PORT` runs before every start;
a step is skipped when its result is there. The cluster keeps its id.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.local.kafka_broker import POM, Broker, new_cluster_id, server_properties
from deploy.local.process_spec import is_port_free
from deploy.local.state_files import write_atomically

_PATIENCE_SECONDS = 60.0
_LOOK_AGAIN_SECONDS = 0.1


def make_archive(broker: Broker) -> None:
    """About eight seconds; on the ports of the broker, which does not run yet. May leave the file missing."""
    unfinished = broker.archive.with_name(f"{broker.archive.name}.{os.getpid()}")
    with TemporaryDirectory(prefix="dragoman-kafka-") as folder:
        trial = replace(broker, files=Path(folder) / "files", data=Path(folder) / "data")
        write_atomically(trial.properties_file, server_properties(trial))
        subprocess.run(trial.format_command(new_cluster_id()), check=True)
        _start_and_stop(trial, unfinished)
    if unfinished.exists():
        unfinished.rename(broker.archive)
    else:
        print("this Java makes no archive of classes; brokers start without one", file=sys.stderr)


def _start_and_stop(trial: Broker, archive: Path) -> None:
    with subprocess.Popen(trial.archiving_command(archive)) as process:
        try:
            end = time.monotonic() + _PATIENCE_SECONDS
            while is_port_free(trial.port) and process.poll() is None and time.monotonic() < end:
                time.sleep(_LOOK_AGAIN_SECONDS)
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE_SECONDS)
        finally:
            process.kill()


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
