"""One-sentence requests whose sentence is remembered, Kafka to Kafka: `make bench-cached`.

The rivals: a bare Kafka loop, which is what one transaction costs without a platform, and a Celery task that looks
the translation up in Valkey. The goal follows the bare engine where the machine is slow.
"""

import sys
from contextlib import AbstractContextManager
from itertools import cycle, islice

from schemas.priorities import Priority
from tests.bench import celery_rival, engine, kafka_loop
from tests.bench.driver import Driver
from tests.bench.figures import Figure, Findings, Leg, mean, registry_figure
from tests.bench.harness import Options, Platform, Size, main, running, say
from tests.bench.texts import sentences

DEFAULTS = Options(seconds=15, processes=1)
GOAL, ENGINE_FACTOR = 2_000, 25
_REMEMBERED, _IN_FLIGHT = 300, 2_000
# More than this nobody reaches on two cores.
_MOST_PER_SECOND = 4_000
_RIVAL_SECONDS, _CELERY_TASKS = 4.0, 2_000


def measure(options: Options) -> Findings:
    """Measure the engine, the platform between two loops, Celery, and the engine again."""
    bare = [engine.together(sentences(_REMEMBERED), processes=2)]
    ours, rivals = rounds(options)
    bare.append(engine.together(sentences(_REMEMBERED), processes=2))
    loops = [leg for leg in rivals if leg.name == kafka_loop.NAME]
    goal = min(GOAL, ENGINE_FACTOR * mean(bare))
    figures = [
        Figure("remembered requests", ours.per_second, "/s", at_least=round(goal)),
        Figure("remembered requests / bare engine's sentences", ours.per_second / mean(bare), ""),
        Figure("remembered requests / bare Kafka loop", ours.per_second / mean(loops), ""),
    ]
    legs = [bare[0], ours, *rivals, bare[1]]
    if options.registry:
        with started(options, options.registry) as platform:
            legs.append(platform_leg(platform, options.seconds))
        figures.append(registry_figure(legs[-1], ours))
    return Findings(figures, legs)


def rounds(options: Options) -> tuple[Leg, list[Leg]]:
    """Measure the platform, and the rivals on its broker and its Valkey."""
    count = round(_RIVAL_SECONDS * _MOST_PER_SECOND)
    with started(options) as platform:
        moved = Driver(platform).records(repeated(count), Priority.STANDARD)
        loops = [kafka_loop.loop(platform, moved, _IN_FLIGHT, _RIVAL_SECONDS)]
        ours = platform_leg(platform, options.seconds)
        loops.append(kafka_loop.loop(platform, moved, _IN_FLIGHT, _RIVAL_SECONDS))
        celery_rival.remember(platform, sentences(_REMEMBERED))
        tasks = repeated(_CELERY_TASKS)
        celery = celery_rival.together(platform, celery_rival.RECALL, tasks, options.processes)
    return ours, [*loops, celery]


def started(options: Options, registry_url: str = "") -> AbstractContextManager[Platform]:
    """Run a stack with as many intakes, workers and assemblies as wanted."""
    count = options.processes
    return running(Size(count, count, count), registry_url=registry_url)


def platform_leg(platform: Platform, seconds: float) -> Leg:
    """Have every sentence translated once, then measure."""
    driver = Driver(platform)
    driver.closed_loop("warm up", driver.records(sentences(_REMEMBERED), Priority.STANDARD), _REMEMBERED)
    say(f"platform, {seconds:g} s")
    records = driver.records(repeated(round(seconds * _MOST_PER_SECOND)), Priority.STANDARD)
    leg = driver.closed_loop("platform", records, _IN_FLIGHT, seconds)
    driver.check()
    driver.close()
    return leg


def repeated(count: int) -> list[str]:
    """Return so many texts, all of them remembered."""
    return list(islice(cycle(sentences(_REMEMBERED)), count))


if __name__ == "__main__":
    sys.exit(main("cached", measure, DEFAULTS, __doc__))
