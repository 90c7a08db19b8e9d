"""Compare the versions of servers and installed packages with what Dragoman needs."""

import re
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement
from packaging.version import Version

from deploy.doctor.facts import ServerVersion

# Each is the release that brought something we cannot do without.
OLDEST_KAFKA = "3.0"  # tells and ends forgotten transactions (KIP-664)
OLDEST_REDIS = "7.0"  # the oldest that the contract suites ran on
OLDEST_CLICKHOUSE = "26.2"  # recognises a repeated insert in the views behind a table, too
# Vendors write 24.8.14.10501.altinitystable.
_NUMBERS = re.compile(r"\d+(?:\.\d+)*")


def of_server(name: str, found: str, oldest: str) -> ServerVersion:
    """Judge the version that a server tells, by its leading numbers; one without any is taken for too old."""
    numbers = _NUMBERS.match(found)
    is_enough = numbers is not None and Version(numbers[0]) >= Version(oldest)
    return ServerVersion(name, found or "unknown", f"{oldest} or newer", is_enough, f"upgrade {name}")


def of_packages(distribution: str = "dragoman") -> list[ServerVersion]:
    """Return what is installed of the packages that the distribution requires without its extras."""
    try:
        return list(_judged(requires(distribution) or ()))
    except PackageNotFoundError:  # an image has the code alone, and packages that were locked
        return []


def _judged(requirements: Sequence[str]) -> Iterator[ServerVersion]:
    for line in requirements:
        wanted = Requirement(line)
        if wanted.marker and not wanted.marker.evaluate({"extra": ""}):
            continue
        found = _installed(wanted.name)
        is_enough = bool(found) and wanted.specifier.contains(found, prereleases=True)
        cure = "install what this version was locked with: make setup"
        yield ServerVersion(wanted.name, found or "missing", str(wanted.specifier), is_enough, cure)


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
