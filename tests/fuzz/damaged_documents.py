"""`make fuzz-formats`: damaged files of every format through the sandbox, read and written again.

Each must end as a translation or as a refusal with a named cause and a cure. Exit code 1 after any other end, and
where this process or one of the sandbox needed more memory than it may.
"""

import argparse
import json
import random
import resource
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from connectors.formats.protocol import Options
from connectors.formats.sandbox import Sandbox
from connectors.formats.settings import FormatSettings
from producers.cli.output import lines_of
from schemas.errors import PermanentError
from tests.formats.mutations import mutated
from tests.formats.samples import Sample, samples

REPORT = Path(".dragoman") / "fuzz_formats.json"
OPTIONS = Options(source_language="en", target_language="pt-BR")
TRANSLATED = "translated"
# What a filter raises by mistake is told with its place in the code.
_BY_MISTAKE = "the document cannot be read ("
# What this process may grow by: answers of the sandbox are read, and forgotten.
_MOST_GROWTH_MB = 100.0


@dataclass
class Outcome:
    """How the files ended, by format; megabytes that this process grew by, and that one of the sandbox had."""

    ends: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0
    growth_mb: float = 0.0
    largest_process_mb: float = 0.0

    @property
    def causes(self) -> Counter[str]:
        """Return how many files ended in which way."""
        return sum(self.ends.values(), Counter())

    @property
    def files(self) -> int:
        """Return how many files there were."""
        return self.causes.total()


def run(files: int, seed: int, folder: Path) -> Outcome:
    """Send so many files through one sandbox, every format in turn. `folder` is for scratch files."""
    settings, outcome = FormatSettings(), Outcome()
    by_format = _by_format()
    began, before_mb = time.monotonic(), _peak_mb(resource.RUSAGE_SELF)
    with Sandbox(settings, folder) as sandbox:
        for number in range(files):
            turn, name = divmod(number, len(by_format))
            some = list(by_format.values())[name]
            _one(sandbox, some[turn % len(some)], seed * 1_000_000 + number, folder, outcome)
    outcome.seconds = time.monotonic() - began
    outcome.growth_mb = _peak_mb(resource.RUSAGE_SELF) - before_mb
    outcome.largest_process_mb = _peak_mb(resource.RUSAGE_CHILDREN)
    if outcome.growth_mb > _MOST_GROWTH_MB:
        outcome.violations.append(f"this process grew by {outcome.growth_mb:.0f} MB")
    if outcome.largest_process_mb > settings.memory_mb:
        outcome.violations.append(f"a process of the sandbox had {outcome.largest_process_mb:.0f} MB")
    return outcome


def _by_format() -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples():
        found[sample.format].append(sample)
    return found


def _one(sandbox: Sandbox, sample: Sample, seed: int, folder: Path, outcome: Outcome) -> None:
    source = folder / sample.name
    source.write_bytes(mutated(sample.data, random.Random(seed)))
    try:
        error = _refusal(sandbox, source)
    except Exception as crash:  # whatever else comes out of the sandbox is what we look for
        outcome.ends[sample.format]["crash"] += 1
        outcome.violations.append(f"{sample.id}, seed {seed}: {crash!r}")
        return
    finally:
        source.unlink()
        source.with_suffix(".out").unlink(missing_ok=True)
    outcome.ends[sample.format][error.cause if error else TRANSLATED] += 1
    if error and (wrong := _wrong(error)):
        outcome.violations.append(f"{sample.id}, seed {seed}: {wrong}")


def _refusal(sandbox: Sandbox, source: Path) -> PermanentError | None:
    """Return how a document is refused; what is not refused is translated."""
    try:
        found = sandbox.extract(source, source.name, "", OPTIONS)
        units = [unit.text.swapcase() for unit in found.extraction.units]
        sandbox.merge(found.format, source, found.extraction.skeleton, units, source.with_suffix(".out"), OPTIONS)
    except PermanentError as error:
        return error
    return None


def _wrong(error: PermanentError) -> str | None:
    if not error.cure:
        return f"{error.cause} has no cure"
    if error.cause == "document_too_costly":
        return f"too costly: {error.message}"
    return error.message if error.message.startswith(_BY_MISTAKE) else None


def _peak_mb(who: int) -> float:
    return resource.getrusage(who).ru_maxrss / 1000


def main() -> int:
    """Run, print a table of formats and ends, and write it to .dragoman."""
    parser = argparse.ArgumentParser(prog="make fuzz-formats")
    parser.add_argument("--files", type=int, default=10_000, help="of all formats together")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(options.files, options.seed, Path(folder))
    causes = [cause for cause, _ in outcome.causes.most_common()]
    rows = [(name, *(str(ends[cause]) for cause in causes)) for name, ends in sorted(outcome.ends.items())]
    print(lines_of(("format", *causes), [*rows, ("all", *(str(outcome.causes[cause]) for cause in causes))]))
    print(
        f"\n{outcome.files} files, {outcome.seconds:.0f} s; this process grew by {outcome.growth_mb:.0f} MB, the "
        f"largest of the sandbox had {outcome.largest_process_mb:.0f} MB"
    )
    print("\n".join(outcome.violations) or "each was translated, or refused with a cause and a cure")
    REPORT.parent.mkdir(exist_ok=True)
    figures = {
        name: getattr(outcome, name) for name in ("seconds", "growth_mb", "largest_process_mb", "violations")
    }
    REPORT.write_text(json.dumps({"files": outcome.files, "seed": options.seed, "ends": outcome.ends, **figures}))
    return 1 if outcome.violations else 0


if __name__ == "__main__":
    sys.exit(main())
