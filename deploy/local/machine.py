"""What the machine must have before anything starts; each lack is named with its cure."""

import re
import shutil
import subprocess

from deploy.local.failures import StackError
from deploy.local.kafka.prepare import has_jars
from deploy.local.settings import StackSettings

_OLDEST_JAVA = 17
_MEGABYTE = 1_000_000
_INSTALL_JAVA = "install a JDK 17 or newer (Debian: apt-get install openjdk-17-jre-headless)"


def check_machine(settings: StackSettings) -> None:
    """Raises StackError for the first thing that lacks: Java, Maven, space."""
    _check_java()
    if not has_jars(settings.libraries) and shutil.which("mvn") is None:
        raise StackError("no mvn found; Maven fetches Kafka the first time", "install it (apt-get install maven)")
    settings.root.mkdir(parents=True, exist_ok=True)
    free_megabytes = shutil.disk_usage(settings.root).free // _MEGABYTE
    if free_megabytes < settings.minimum_free_megabytes:
        raise StackError(
            f"{settings.root} has {free_megabytes} MB free, {settings.minimum_free_megabytes} are needed",
            "free some space, or choose another root",
        )


def _check_java() -> None:
    if shutil.which("java") is None:
        raise StackError("no java found; Kafka needs it", _INSTALL_JAVA)
    said = subprocess.run(("java", "-version"), capture_output=True, text=True, check=False).stderr
    version = java_version(said)
    if version is not None and version < _OLDEST_JAVA:
        raise StackError(f"java is version {version}", _INSTALL_JAVA)


def java_version(said: str) -> int | None:
    """The feature release in what `java -version` says: 17 of "17.0.15", 8 of "1.8.0"; None if not found."""
    found = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(found[1]) if found else None
