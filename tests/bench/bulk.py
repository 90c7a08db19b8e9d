"""One long document against the bare engine: `make bench-bulk`.

The engine translates some of its sentences in the same number of processes before and after each document. Then
once more with one worker that has a core of its own, as on a machine for workers only, while all else shares the
other cores: against one process of the engine on that core. Without a second core that is left out.
"""

import os
import sys
from contextlib import ExitStack
from dataclasses import replace

from schemas.priorities import Priority
from tests.bench import engine
from tests.bench.cores import on_cores, parted
from tests.bench.driver import Driver
from tests.bench.figures import Figure, Findings, Leg
from tests.bench.harness import Options, Platform, Size, main, running, say
from tests.bench.in_turn import Turns, in_turn, parts_of
from tests.bench.texts import document, sentences

DEFAULTS = Options(seconds=17, processes=2)
GOAL = 0.95
_PER_SECOND = 70
_DOCUMENTS = 2
# Of a document, what one core translates alone.
_SHARE_ALONE = 0.5


def measure(options: Options) -> Findings:
    """Measure the platform and the engine in turn; and once more with a core for one worker."""
    size = round(options.seconds * _PER_SECOND)
    documents = parts_of(sentences(_DOCUMENTS * size), _DOCUMENTS)
    with engine.standing(options.processes) as bare, running(Size(workers=options.processes)) as platform:
        turns = in_turn(platform, bare, documents, lambda parts: platform_leg(platform, parts))
    figures = [
        Figure("bulk document / bare engine", turns.share, "", at_least=GOAL),
        Figure("sentences of a bulk document", turns.middle.per_second, "/s"),
    ]
    legs = turns.legs
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        alone = _alone([one[: round(size * _SHARE_ALONE)] for one in documents], cores)
        figures.append(Figure("a worker with a core of its own / bare engine", alone.share, ""))
        legs += [replace(leg, name=f"{leg.name}, a core of its own") for leg in alone.legs]
    return Findings(figures, legs)


def platform_leg(platform: Platform, parts: list[str]) -> Leg:
    """Send the document as one request; its sentences count as answers."""
    say(f"platform, a document of {len(parts)} sentences")
    driver = Driver(platform)
    leg = driver.closed_loop("platform", driver.records([document(parts)], Priority.STANDARD), 1)
    driver.check()
    driver.close()
    return replace(leg, answers=len(parts), per_second=len(parts) / leg.seconds)


def _alone(documents: list[list[str]], cores: list[int]) -> Turns:
    """Measure the engine and a worker in turn on the first core, which nobody shares."""
    own, others = cores[:1], cores[1:]
    with ExitStack() as exits:
        with on_cores(own):
            bare = exits.enter_context(engine.standing(1))
        platform = exits.enter_context(running(Size(workers=1)))
        exits.enter_context(parted(platform, "worker-1", own, others))
        return in_turn(platform, bare, documents, lambda parts: platform_leg(platform, parts))


if __name__ == "__main__":
    sys.exit(main("bulk", measure, DEFAULTS, __doc__))
