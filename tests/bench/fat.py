"""Requests of a thousand sentences with an engine that takes no time: `make bench-fat`.

What remains is the platform's own work for a segment. Measured with one intake, worker and assembly, then with two
of each; the rival is a bare Kafka loop that moves the same requests whole.
"""

import sys
from dataclasses import replace

from schemas.priorities import Priority
from tests.bench import kafka_loop
from tests.bench.driver import Driver
from tests.bench.figures import Figure, Findings, Leg, mean, registry_figure
from tests.bench.harness import Options, Platform, Size, main, running, say
from tests.bench.texts import document, sentences

DEFAULTS = Options(seconds=10, processes=1)
GOAL = 10_000
SENTENCES = 1_000
_IN_FLIGHT = 16
# More than this nobody reaches on two cores.
_MOST_PER_SECOND = 20
_RIVAL_SECONDS = 3.0


def measure(options: Options) -> Findings:
    """Measure the loop, the platform, the loop, and a platform of twice the processes."""
    with running(size(options.processes), is_instant=True) as platform:
        moved = Driver(platform).records(texts(_RIVAL_SECONDS), Priority.STANDARD)
        loops = [in_segments(kafka_loop.loop(platform, moved, _IN_FLIGHT, _RIVAL_SECONDS))]
        ours = platform_leg(platform, options.seconds)
        loops.append(in_segments(kafka_loop.loop(platform, moved, _IN_FLIGHT, _RIVAL_SECONDS)))
    with running(size(2 * options.processes), is_instant=True) as platform:
        doubled = replace(platform_leg(platform, options.seconds), name="platform, twice the processes")
    figures = [
        Figure("segments of fat requests", ours.per_second, "/s", at_least=GOAL),
        Figure("twice the processes / once", doubled.per_second / ours.per_second, "", at_least=1.0),
        Figure("segments of fat requests / bare Kafka loop", ours.per_second / mean(loops), ""),
    ]
    legs = [loops[0], ours, loops[1], doubled]
    if options.registry:
        with running(size(options.processes), registry_url=options.registry, is_instant=True) as platform:
            legs.append(platform_leg(platform, options.seconds))
        figures.append(registry_figure(legs[-1], ours))
    return Findings(figures, legs)


def size(processes: int) -> Size:
    """Return as many workers, intakes and assemblies."""
    return Size(processes, processes, processes)


def platform_leg(platform: Platform, seconds: float) -> Leg:
    """Send requests for that time; their sentences count as answers.

    The rate is that of the whole time. Between two answers it would be too high: so large are the requests that a
    third of the work is done before the first one comes, and after the last one is sent intake has nothing to do.
    """
    say(f"platform, {seconds:g} s")
    driver = Driver(platform)
    leg = driver.closed_loop("platform", driver.records(texts(seconds), Priority.STANDARD), _IN_FLIGHT, seconds)
    driver.check()
    driver.close()
    return in_segments(replace(leg, per_second=leg.answers / leg.seconds))


def in_segments(leg: Leg) -> Leg:
    """Count sentences instead of requests."""
    return replace(leg, answers=leg.answers * SENTENCES, per_second=leg.per_second * SENTENCES)


def texts(seconds: float) -> list[str]:
    """Return as many requests as can be moved in that time; all their sentences differ."""
    count = round(seconds * _MOST_PER_SECOND)
    return [document(sentences(SENTENCES, start=number * SENTENCES)) for number in range(count)]


if __name__ == "__main__":
    sys.exit(main("fat", measure, DEFAULTS, __doc__))
