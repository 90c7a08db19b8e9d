"""A real schema registry for integration tests, and Confluent's Java clients, fetched from Maven's repository."""

import os
import shutil
import signal
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.ports import free_port
from tests.servers import CHECKOUT, LIBRARIES

_FILES = CHECKOUT / ".dragoman" / "registry"
# Apicurio speaks Confluent's interface and runs in memory; later versions come as container images only.
_APICURIO = ("io.apicurio", "apicurio-registry-app", "2.6.13.Final", "tar.gz", "all")
# Pinot's plug-in contains Confluent's serializers 7.9.5 and what its console tools are made of, unchanged.
# Confluent's own repository is another one than Maven's, and not open to every build.
_CONFLUENT = ("org.apache.pinot", "pinot-confluent-avro", "1.5.0", "jar", "shaded")
_READY_SECONDS = 60.0


@dataclass(frozen=True)
class Registry:
    """A running registry. `url` is the root of Confluent's interface."""

    url: str
    process: subprocess.Popen[bytes]

    def subjects(self) -> list[str]:
        """Return all subjects."""
        return list(httpx.get(f"{self.url}/subjects").raise_for_status().json())

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Keep it from answering inside the context: connections are accepted, nothing comes back."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@contextmanager
def open_registry() -> Iterator[Registry | None]:
    """Start a registry on a free port; None where Java or the network is missing."""
    if (archive := _fetched(_APICURIO)) is None:
        yield None
        return
    folder = archive.parent / "apicurio"
    if not folder.exists():
        unfinished = archive.parent / f"apicurio.{os.getpid()}"
        if hasattr(tarfile, "data_filter"):
            shutil.unpack_archive(archive, unfinished, filter="data")
        else:  # as in Debian's 3.11.2
            shutil.unpack_archive(archive, unfinished)
        unfinished.rename(folder)
    port, (runner,) = free_port(), folder.glob("*-runner.jar")
    options = ("-Xmx400m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-Dquarkus.http.port={port}")
    with (folder.parent / f"{port}.log").open("wb") as log:
        command = ("java", *options, "-Dquarkus.http.host=127.0.0.1", "-jar", str(runner))
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield _ready(Registry(f"http://127.0.0.1:{port}/apis/ccompat/v7", process))
    finally:
        process.kill()
        process.wait()
        Path(log.name).unlink()


def confluent_tool(tool: str, *arguments: str) -> list[str] | None:
    """Return the command of `kafka-avro-console-producer` or `-consumer`; None where it cannot be fetched.

    As Confluent's scripts do: Kafka's own tool with Confluent's reader or formatter on its class path.
    """
    if (jar := _fetched(_CONFLUENT)) is None or not LIBRARIES.exists():
        return None
    quiet = "-Dorg.apache.logging.log4j.level=OFF"
    return ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", quiet, "-cp", f"{LIBRARIES}/*:{jar}", tool, *arguments]


def _fetched(coordinates: tuple[str, str, str, str, str]) -> Path | None:
    """Return the file of these Maven coordinates, fetched once; None where that is impossible."""
    _, name, version, kind, classifier = coordinates
    file = _FILES / f"{name}-{version}-{classifier}.{kind}"
    if file.exists():
        return file
    if not (shutil.which("java") and shutil.which("mvn")):
        return None
    unfinished = _FILES / f"fetching.{os.getpid()}"
    goal = ("dependency:copy", f"-Dartifact={':'.join(coordinates)}", f"-DoutputDirectory={unfinished}")
    fetched = subprocess.run(("mvn", "-q", "-B", *goal), check=False, capture_output=True, text=True)
    if fetched.returncode != 0:
        print(fetched.stdout[-2000:])
        return None
    (unfinished / file.name).rename(file)
    unfinished.rmdir()
    return file


def _ready(registry: Registry) -> Registry:
    end = time.monotonic() + _READY_SECONDS
    while True:
        try:
            registry.subjects()
        except httpx.HTTPError:
            assert registry.process.poll() is None, "the registry ended"
            assert time.monotonic() < end, "the registry does not answer"
            time.sleep(0.2)
        else:
            return registry
