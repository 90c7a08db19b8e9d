"""One critical sentence each 250 ms on an idle platform, and while standard work waits: `make bench-latency`.

Kafka to Kafka, then by one HTTP call. The time that the engine takes for the same sentence, measured in the same
run at the same pace, is subtracted: one call, and the further ones for a sentence that the engine breaks at first.
A second row of figures subtracts the one call only. A Celery task on the same Valkey is measured beside.
"""

import asyncio
import sys
import time
from collections.abc import Sequence

import httpx

from schemas.priorities import Priority
from tests.bench import celery_rival, engine
from tests.bench.driver import Driver
from tests.bench.figures import Figure, Findings, Leg, nearest_rank
from tests.bench.harness import Options, Platform, Size, main, running, say, used
from tests.bench.http_load import translate_by_platform
from tests.bench.texts import document, sentences

DEFAULTS = Options(seconds=18, processes=2)
EVERY_SECONDS = 0.25
_FLOOD_SECONDS, _FLOOD_REQUESTS, _FLOOD_SENTENCES = 14.0, 30, 200
_CELERY_TASKS = 16
_PERCENTILES = (("p50", 0.5), ("p95", 0.95))


def measure(options: Options) -> Findings:
    """Measure the engine, the platform by Kafka and HTTP and under a flood, Celery, and the engine."""
    count = round(options.seconds / EVERY_SECONDS)
    by_kafka, by_http = sentences(count), sentences(count, start=count)
    kafka_engine, *kafka_takes = engine.one_by_one(by_kafka, EVERY_SECONDS)
    with running(Size(workers=options.processes)) as platform:
        warm_up(platform)
        kafka, kafka_waits = kafka_leg(platform, "platform, Kafka", by_kafka)
        http, http_waits = http_leg(platform, by_http)
        flooded = flooded_leg(platform, start=3 * count)
        beside = celery_rival.one_by_one(
            platform, sentences(_CELERY_TASKS, start=2 * count), EVERY_SECONDS, options.processes
        )
    http_engine, *http_takes = engine.one_by_one(by_http, EVERY_SECONDS)
    figures = [
        *beyond_engine("Kafka to Kafka", kafka_waits, *kafka_takes, goals=(40, 60)),
        *beyond_engine("one POST ?wait", http_waits, *http_takes, goals=(50, 75)),
        Figure("critical p95 while standard work waits / idle", flooded.p95_ms / kafka.p95_ms, "", at_most=2.0),
        Figure("idle p50 Kafka to Kafka / Celery", kafka.p50_ms / beside.p50_ms, ""),
    ]
    return Findings(figures, [kafka_engine, kafka, http, flooded, beside, http_engine])


def beyond_engine(
    name: str,
    waits: Sequence[float],
    takes: Sequence[float],
    repeats: Sequence[float],
    *,
    goals: tuple[float, float],
) -> list[Figure]:
    """Return p50 and p95 of the time that is not the engine's, sentence by sentence.

    `takes` are the milliseconds of one call for each sentence, `repeats` those of its further calls.
    """
    rest = [wait - take for wait, take in zip(waits, takes, strict=True)]
    own = [beyond - further for beyond, further in zip(rest, repeats, strict=True)]
    repeated = sum(further > 0 for further in repeats)
    return [
        *(
            Figure(f"idle, {name}, {percent} beyond the engine", nearest_rank(own, share), "ms", at_most=goal)
            for (percent, share), goal in zip(_PERCENTILES, goals, strict=True)
        ),
        *(
            Figure(
                f"idle, {name}, {percent} beyond one call ({repeated} had more)", nearest_rank(rest, share), "ms"
            )
            for percent, share in _PERCENTILES
        ),
    ]


def warm_up(platform: Platform) -> None:
    """Have every process work once."""
    driver = Driver(platform)
    driver.closed_loop("warm up", driver.records(sentences(32, start=100_000), Priority.CRITICAL), 4)
    driver.close()


def kafka_leg(platform: Platform, name: str, texts: Sequence[str]) -> tuple[Leg, list[float]]:
    """Send one after the other by Kafka; return the milliseconds of each, too."""
    say(name)
    driver = Driver(platform, linger_ms=0)
    records = driver.records(texts, Priority.CRITICAL)
    leg = driver.paced(name, records, EVERY_SECONDS)
    driver.check()
    driver.close()
    waits = driver.traffic.milliseconds()
    return leg, [waits[record.key] for record in records]


def http_leg(platform: Platform, texts: Sequence[str]) -> tuple[Leg, list[float]]:
    """Call one after the other by HTTP; return the milliseconds of each, too."""
    say("platform, HTTP")
    before = platform.cpu_ms()
    waits = asyncio.run(_call_each(platform, texts))
    seconds = len(texts) * EVERY_SECONDS
    return Leg.of("platform, HTTP", waits, seconds, used(before, platform.cpu_ms())), waits


def flooded_leg(platform: Platform, start: int) -> Leg:
    """Send critical sentences while more standard work waits than can be done meanwhile."""
    flood = Driver(platform)
    spans = range(start + 1000, start + 1000 + _FLOOD_REQUESTS * _FLOOD_SENTENCES, _FLOOD_SENTENCES)
    texts = [document(sentences(_FLOOD_SENTENCES, start=first)) for first in spans]
    flood.send(flood.records(texts, Priority.STANDARD))
    flood.close()
    time.sleep(2)
    count = round(_FLOOD_SECONDS / EVERY_SECONDS)
    return kafka_leg(platform, "platform, Kafka, under a flood", sentences(count, start=start))[0]


async def _call_each(platform: Platform, texts: Sequence[str]) -> list[float]:
    waits = []
    async with httpx.AsyncClient(timeout=60) as client:
        for text in texts:
            began = time.perf_counter()
            await translate_by_platform(client, text, platform.run.http_url, platform.headers)
            waits.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(max(0.0, EVERY_SECONDS - waits[-1] / 1000))
    return waits


if __name__ == "__main__":
    sys.exit(main("latency", measure, DEFAULTS, __doc__))
