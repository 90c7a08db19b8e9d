"""1, 8 and 32 HTTP clients, one new sentence a call, against a bare FastAPI application: `make bench-http`.

The application has the same engine in as many processes as the platform has workers; it is measured before and
after the platform.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from tests.bench import peer_app
from tests.bench.figures import Figure, Findings, Leg, mean
from tests.bench.harness import Options, Platform, Size, main, running, say, used
from tests.bench.http_load import Call, clients, translate_by_peer, translate_by_platform
from tests.bench.texts import sentences

DEFAULTS = Options(seconds=6, processes=2)
CLIENTS = (1, 8, 32)
GOAL_CLIENTS, GOAL_SHARE = 32, 0.8
_MOST_PER_SECOND = 500


def measure(options: Options) -> Findings:
    """Measure the application, the platform and the application, with all numbers of clients."""
    count = round(options.seconds * _MOST_PER_SECOND * len(CLIENTS))
    legs = peer_legs(options, iter(sentences(count)))
    with running(Size(workers=options.processes)) as platform:
        legs += platform_legs(platform, options, iter(sentences(count)))
    legs += peer_legs(options, iter(sentences(count)))
    return Findings([figure for number in CLIENTS for figure in compared(legs, number)], legs)


def peer_legs(options: Options, texts: Iterator[str]) -> list[Leg]:
    """Measure the application."""
    with peer_app.running(options.processes) as url:
        call = partial(translate_by_peer, base_url=url)
        return [_leg(peer_app.NAME, call, texts, number, options.seconds / 2) for number in CLIENTS]


def platform_legs(platform: Platform, options: Options, texts: Iterator[str]) -> list[Leg]:
    """Measure the platform, and the processor time of its processes."""
    call = partial(translate_by_platform, base_url=platform.run.http_url, headers=platform.headers)
    legs = []
    for number in CLIENTS:
        before = platform.cpu_ms()
        leg = _leg("platform", call, texts, number, options.seconds)
        legs.append(replace(leg, cpu_ms=used(before, platform.cpu_ms())))
    return legs


def compared(legs: list[Leg], number: int) -> list[Figure]:
    """Return throughput and p95 of the platform by those of the application; only the most clients have goals."""
    (ours,) = [leg for leg in legs if leg.name == f"platform, {number} clients"]
    peers = [leg for leg in legs if leg.name == f"{peer_app.NAME}, {number} clients"]
    p95 = sum(leg.p95_ms for leg in peers) / len(peers)
    is_goal = number == GOAL_CLIENTS
    return [
        Figure(
            f"{number} clients, calls a second / bare FastAPI",
            ours.per_second / mean(peers),
            "",
            at_least=GOAL_SHARE if is_goal else None,
        ),
        Figure(f"{number} clients, p95 / bare FastAPI", ours.p95_ms / p95, "", at_most=1.0 if is_goal else None),
    ]


def _leg(name: str, call: Call, texts: Iterator[str], number: int, seconds: float) -> Leg:
    say(f"{name}, {number} clients")
    return clients(f"{name}, {number} clients", call, texts, number, seconds)


if __name__ == "__main__":
    sys.exit(main("http", measure, DEFAULTS, __doc__))
