"""New single sentences against the bare engine: `make bench-singles`.

Each sentence is a request of its own, all of them wait at once. The engine translates some of them in the same
number of processes before and after each third; a Celery worker translates others.
"""

import sys

from schemas.priorities import Priority
from tests.bench import celery_rival, engine
from tests.bench.driver import Driver
from tests.bench.figures import Figure, Findings, Leg, registry_figure
from tests.bench.harness import Options, Platform, Size, main, running, say
from tests.bench.in_turn import in_turn, parts_of
from tests.bench.texts import sentences

DEFAULTS = Options(seconds=18, processes=2)
GOAL = 0.88
_PER_SECOND, _IN_FLIGHT = 60, 512
_TURNS = 3
_CELERY_TASKS = 300


def measure(options: Options) -> Findings:
    """Measure the platform and the engine in turn, then Celery."""
    count = round(options.seconds * _PER_SECOND)
    parts, size = parts_of(sentences(count), _TURNS), Size(workers=options.processes)
    with engine.standing(options.processes) as bare, running(size) as platform:
        turns = in_turn(platform, bare, parts, lambda part: platform_leg(platform, part))
        celery = celery_rival.together(
            platform, celery_rival.TRANSLATE, sentences(_CELERY_TASKS, start=count), options.processes
        )
    figures = [
        Figure("single sentences / bare engine", turns.share, "", at_least=GOAL),
        Figure("single sentences", turns.middle.per_second, "/s"),
        Figure("single sentences / Celery", turns.middle.per_second / celery.per_second, ""),
    ]
    legs = [*turns.legs, celery]
    if options.registry:
        with running(size, registry_url=options.registry) as platform:
            legs.append(platform_leg(platform, parts[0]))
        figures.append(registry_figure(legs[-1], turns.middle))
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
