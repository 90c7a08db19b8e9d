"""Compare the versions of servers and installed packages with what Dragoman needs."""

from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

from deploy.doctor.facts import ServerVersion

# Each is the release that brought something we cannot do without.
OLDEST_KAFKA = "3.0"  # tells and ends forgotten transactions (KIP-664)
OLDEST_REDIS = "7.0"  # the oldest that the contract suites ran on
OLDEST_CLICKHOUSE = "26.2"  # recognises a repeated insert in the views behind a table, too


def of_server(name: str, found: str, oldest: str) -> ServerVersion:
    """Judge the version that a server tells; one that is no version is taken for too old."""
    try:
        is_enough = Version(found) >= Version(oldest)
    except InvalidVersion:
        is_enough = False
    return ServerVersion(name, found or "unknown", f"{oldest} or newer", is_enough, f"upgrade {name}")


def of_packages(distribution: str = "dragoman") -> list[ServerVersion]:
    """Return what is installed of the packages that the distribution requires without its extras."""
    return list(_judged(requires(distribution) or ()))


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
