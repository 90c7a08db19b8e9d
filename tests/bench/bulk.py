"""One long document against the bare engine: `make bench-bulk`.

The engine translates the same sentences in the same number of processes before and after. Then once more with one
worker that has a core of its own, as on a machine for workers only, while all else shares the other cores: against
one process of the engine on that core. Without a second core that leg is left out.
"""

import os
import sys
from dataclasses import replace

from schemas.priorities import Priority
from tests.bench import engine
from tests.bench.cores import on_cores, parted
from tests.bench.driver import Driver
from tests.bench.figures import Figure, Findings, Leg, mean
from tests.bench.harness import Options, Platform, Size, main, running, say
from tests.bench.texts import document, sentences

DEFAULTS = Options(seconds=17, processes=2)
GOAL = 0.95
_PER_SECOND = 70
# Of the document that one core translates alone.
_SHARE_ALONE = 0.5


def measure(options: Options) -> Findings:
    """Measure the engine, the platform and the engine; and the same with a core for one worker."""
    parts = sentences(round(options.seconds * _PER_SECOND))
    bare = [engine.together(parts, options.processes)]
    with running(Size(workers=options.processes)) as platform:
        ours = platform_leg(platform, parts)
    bare.append(engine.together(parts, options.processes))
    figures = [
        Figure("bulk document / bare engine", ours.per_second / mean(bare), "", at_least=GOAL),
        Figure("sentences of a bulk document", ours.per_second, "/s"),
    ]
    legs = [bare[0], ours, bare[1]]
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        alone = _alone(parts[: round(len(parts) * _SHARE_ALONE)], cores)
        share = alone[1].per_second / mean([alone[0], alone[2]])
        figures.append(Figure("a worker with a core of its own / bare engine", share, ""))
        legs += alone
    return Findings(figures, legs)


def platform_leg(platform: Platform, parts: list[str]) -> Leg:
    """Send the document as one request; its sentences count as answers."""
    say(f"platform, a document of {len(parts)} sentences")
    driver = Driver(platform)
    leg = driver.closed_loop("platform", driver.records([document(parts)], Priority.STANDARD), 1)
    driver.check()
    driver.close()
    return replace(leg, answers=len(parts), per_second=len(parts) / leg.seconds)


def _alone(parts: list[str], cores: list[int]) -> list[Leg]:
    """Return the legs of the engine, of a worker and of the engine on the first core, which nobody shares."""
    own, others = cores[:1], cores[1:]
    with on_cores(own):
        before = engine.together(parts, 1)
    with running(Size(workers=1)) as platform, parted(platform, "worker-1", own, others):
        ours = platform_leg(platform, parts)
    with on_cores(own):
        after = engine.together(parts, 1)
    return [replace(leg, name=f"{leg.name}, a core of its own") for leg in (before, ours, after)]


if __name__ == "__main__":
    sys.exit(main("bulk", measure, DEFAULTS, __doc__))
