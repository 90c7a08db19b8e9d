"""New single sentences against the bare engine: `make bench-singles`.

Each sentence is a request of its own, all of them wait at once. The engine translates the same sentences in the
same number of processes before and after; a Celery worker translates some of them.
"""

import sys

from schemas.priorities import Priority
from tests.bench import celery_rival, engine
from tests.bench.driver import Driver
from tests.bench.figures import Figure, Findings, Leg, mean, registry_figure
from tests.bench.harness import Options, Platform, Size, main, running, say
from tests.bench.texts import sentences

DEFAULTS = Options(seconds=16, processes=2)
GOAL = 0.88
_PER_SECOND, _IN_FLIGHT = 70, 512
_CELERY_TASKS = 300


def measure(options: Options) -> Findings:
    """Measure the engine, the platform, Celery and the engine."""
    count = round(options.seconds * _PER_SECOND)
    texts, size = sentences(count), Size(workers=options.processes)
    bare = [engine.together(texts, options.processes)]
    with running(size) as platform:
        ours = platform_leg(platform, texts)
        celery = celery_rival.together(
            platform, celery_rival.TRANSLATE, sentences(_CELERY_TASKS, start=count), options.processes
        )
    bare.append(engine.together(texts, options.processes))
    figures = [
        Figure("single sentences / bare engine", ours.per_second / mean(bare), "", at_least=GOAL),
        Figure("single sentences", ours.per_second, "/s"),
        Figure("single sentences / Celery", ours.per_second / celery.per_second, ""),
    ]
    legs = [bare[0], ours, celery, bare[1]]
    if options.registry:
        with running(size, registry_url=options.registry) as platform:
            legs.append(platform_leg(platform, texts))
        figures.append(registry_figure(legs[-1], ours))
    return Findings(figures, legs)


def platform_leg(platform: Platform, texts: list[str]) -> Leg:
    """Send each sentence as a request."""
    say(f"platform, {len(texts)} sentences")
    driver = Driver(platform)
    leg = driver.closed_loop("platform", driver.records(texts, Priority.STANDARD), _IN_FLIGHT)
    driver.check()
    driver.close()
    return leg


if __name__ == "__main__":
    sys.exit(main("singles", measure, DEFAULTS, __doc__))
