"""One long document against the bare engine: `make bench-bulk`.

The engine translates the same sentences in the same number of processes before and after.
"""

import sys
from dataclasses import replace

from schemas.priorities import Priority
from tests.bench import engine
from tests.bench.driver import Driver
from tests.bench.figures import Figure, Findings, Leg, mean
from tests.bench.harness import Options, Platform, Size, main, running, say
from tests.bench.texts import document, sentences

DEFAULTS = Options(seconds=17, processes=2)
GOAL = 0.95
_PER_SECOND = 70


def measure(options: Options) -> Findings:
    """Measure the engine, the platform and the engine."""
    parts = sentences(round(options.seconds * _PER_SECOND))
    bare = [engine.together(parts, options.processes)]
    with running(Size(workers=options.processes)) as platform:
        ours = platform_leg(platform, parts)
    bare.append(engine.together(parts, options.processes))
    figures = [
        Figure("bulk document / bare engine", ours.per_second / mean(bare), "", at_least=GOAL),
        Figure("sentences of a bulk document", ours.per_second, "/s"),
    ]
    return Findings(figures, [bare[0], ours, bare[1]])


def platform_leg(platform: Platform, parts: list[str]) -> Leg:
    """Send the document as one request; its sentences count as answers."""
    say(f"platform, a document of {len(parts)} sentences")
    driver = Driver(platform)
    leg = driver.closed_loop("platform", driver.records([document(parts)], Priority.STANDARD), 1)
    driver.check()
    driver.close()
    return replace(leg, answers=len(parts), per_second=len(parts) / leg.seconds)


if __name__ == "__main__":
    sys.exit(main("bulk", measure, DEFAULTS, __doc__))
