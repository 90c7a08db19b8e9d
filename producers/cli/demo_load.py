"""What the demo translates: real English prose, and short requests beside it. Pure but for one import.

How fast the engine is with nothing around it: the same segments, as many processes, the same machine.
"""

import multiprocessing
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from multiprocessing.synchronize import Barrier

from inference_workers.model_store import discover, load
from schemas.ids import event_id
from schemas.messages import TranslationRequest
from schemas.priorities import Priority
from schemas.segments import count_words

SOURCE, TARGET = "en", "pt"
TENANTS = ("acme", "globex", "initech")
# One in so many short requests asks for a text that was asked for before; one in so many is sent twice.
REPEATED_TEXT, REPEATED_REQUEST = 4, 20


@dataclass(frozen=True)
class ScheduledRequest:
    """One request and when it is sent, in seconds after the document."""

    at_seconds: float
    priority: Priority
    request: TranslationRequest
    is_repeat: bool = False


def prose(words: int) -> str:
    """The Python language reference, as it ships inside the standard library: at least so many words."""
    from pydoc_data.topics import topics  # noqa: PLC0415  # half a megabyte that only the demo wants

    parts: list[str] = []
    for name in sorted(topics, key=lambda name: (-len(topics[name]), name)):
        if count_words("\n\n".join(parts)) >= words:
            break
        parts.append(topics[name].strip())
    return "\n\n".join(parts)


def short_texts(text: str, count: int, chooser: random.Random) -> list[str]:
    """Paragraphs of 15 to 60 words of text that is not in the document, some of them twice."""
    from pydoc_data.topics import topics  # noqa: PLC0415  # as above

    rest = [
        paragraph
        for name in sorted(topics)
        if topics[name].strip() not in text
        for paragraph in topics[name].split("\n\n")
    ]
    fitting = [paragraph.strip() for paragraph in rest if 15 <= count_words(paragraph) <= 60]
    distinct = chooser.sample(sorted(set(fitting)), count - count // REPEATED_TEXT)
    again = chooser.choices(distinct[: count // 2], k=count // REPEATED_TEXT)
    return distinct[: count // 2] + _interleaved(distinct[count // 2 :], again)


def schedule(texts: list[str], seconds: float, run_id: str, now_ms: int) -> Iterator[ScheduledRequest]:
    """The short requests, evenly over so many seconds, the three priorities in turn; some are sent twice."""
    pause = seconds / len(texts)
    for number, (text, priority, tenant) in enumerate(zip(texts, cycle(Priority), cycle(TENANTS), strict=False)):
        request = TranslationRequest(
            request_id=event_id("demo", run_id, number),
            tenant=tenant,
            source_language="auto" if number % 10 == 0 else SOURCE,
            target_language=TARGET,
            text=text,
            submitted_at=now_ms + int(number * pause * 1000),
            metadata={"number": str(number)},
        )
        yield ScheduledRequest(number * pause, priority, request)
        if number % REPEATED_REQUEST == 0:
            yield ScheduledRequest(number * pause, priority, request, is_repeat=True)


def _interleaved(first: list[str], second: list[str]) -> list[str]:
    longer, shorter = (first, second) if len(first) >= len(second) else (second, first)
    mixed = [text for pair in zip(longer, shorter, strict=False) for text in pair]
    return mixed + longer[len(shorter) :]


# Longest time a process may take to load its model; then something is broken.
_LOAD_SECONDS = 120.0


def words_per_minute(segments: Sequence[str], pair: tuple[str, str], processes: int) -> float:
    """Source words a minute of so many engine processes over the segments, dealt out evenly.

    The clock starts when every process has loaded its model and ends with the slowest one.
    """
    spawn = multiprocessing.get_context("spawn")
    barrier, seconds = spawn.Barrier(processes + 1), spawn.Queue()
    shares = [segments[number::processes] for number in range(processes)]
    workers = [spawn.Process(target=_work, args=(share, pair, barrier, seconds)) for share in shares]
    for worker in workers:
        worker.start()
    barrier.wait(_LOAD_SECONDS)
    slowest: float = max(seconds.get() for _ in workers)
    for worker in workers:
        worker.join()
    return sum(count_words(segment) for segment in segments) / slowest * 60


def _work(
    segments: Sequence[str], pair: tuple[str, str], barrier: Barrier, seconds: "multiprocessing.Queue[float]"
) -> None:
    engine = load(next(info for info in discover() if info.pair == pair))
    engine.translate(segments[:1], {})
    barrier.wait(_LOAD_SECONDS)
    started = time.perf_counter()
    engine.translate(segments, {})
    seconds.put(time.perf_counter() - started)
