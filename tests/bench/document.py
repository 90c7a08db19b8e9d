"""A Word file of 15,000 words against the bare engine, from upload to download by HTTP: `make bench-document`.

The engine translates some of its sentences in the same number of processes before and after. Its paragraphs are
plain, so that both sides translate the same; what bold words and links cost is in `make bench-codes`.
"""

import io
import sys
import time
from collections.abc import Iterator
from typing import Any

import docx
import httpx

from connectors.formats.registry import FORMATS
from schemas.segments import count_words
from tests.bench import engine
from tests.bench.figures import Figure, Findings, Leg
from tests.bench.harness import Options, Platform, Size, main, running, say, used
from tests.bench.in_turn import in_turn
from tests.bench.texts import PARAGRAPH, sentences

# 15,000 words are to take 20 seconds on two cores of today.
DEFAULTS = Options(seconds=20, processes=2)
_WORDS_PER_SECOND = 750
GOAL = 1.3
_DOCUMENTS = 2
_WAIT_SECONDS, _TIMEOUT_SECONDS = 30, 600.0
_NAME = "report.docx"


def measure(options: Options) -> Findings:
    """Measure the platform and the engine in turn."""
    documents = list(_of_words(round(options.seconds * _WORDS_PER_SECOND)))
    with engine.standing(options.processes) as bare, running(Size(workers=options.processes)) as platform:
        _translated(platform, word_file(sentences(PARAGRAPH, start=sum(map(len, documents)))))
        turns = in_turn(platform, bare, documents, lambda parts: platform_leg(platform, parts))
    words = sum(map(count_words, documents[turns.ours.index(turns.middle)]))
    figures = [
        Figure("document, upload to download / bare engine", 1 / turns.share, "", at_most=GOAL),
        Figure(f"a Word file of {words:,} words, upload to download", turns.middle.seconds, "s"),
        Figure("words of a document", words / turns.middle.seconds, "/s"),
    ]
    return Findings(figures, turns.legs)


def platform_leg(platform: Platform, parts: list[str]) -> Leg:
    """Upload the document, wait for it and download it; its sentences count as answers."""
    say(f"platform, a Word file of {len(parts)} sentences")
    content, before = word_file(parts), platform.cpu_ms()
    began = time.perf_counter()
    translation = _translated(platform, content)
    seconds = time.perf_counter() - began
    paragraphs = [len(docx.Document(io.BytesIO(file)).paragraphs) for file in (content, translation)]
    assert paragraphs[0] == paragraphs[1], "a paragraph is lost"
    cpu_ms = used(before, platform.cpu_ms())
    return Leg("platform", len(parts), round(seconds, 2), len(parts) / seconds, cpu_ms=cpu_ms)


def word_file(parts: list[str]) -> bytes:
    """Make a Word file with the sentences in paragraphs."""
    document = docx.Document()
    for at in range(0, len(parts), PARAGRAPH):
        document.add_paragraph(" ".join(parts[at : at + PARAGRAPH]))
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


def _translated(platform: Platform, content: bytes) -> bytes:
    url = f"{platform.run.http_url}/api/v1/documents"
    file = {"file": (_NAME, content, FORMATS["docx"].media_type)}
    with httpx.Client(headers=platform.headers, timeout=_TIMEOUT_SECONDS) as client:
        sent = client.post(url, files=file, data={"source_language": "en", "target_language": "pt"})
        job_url = f"{url}/{sent.raise_for_status().json()['job_id']}"
        job: dict[str, Any] = {"is_finished": False}
        while not job["is_finished"]:
            job = client.get(job_url, params={"wait": _WAIT_SECONDS}).raise_for_status().json()
        assert job["result"]["status"] == "COMPLETED", job
        return client.get(f"{job_url}/download", params={"wait": _WAIT_SECONDS}).raise_for_status().content


def _of_words(words: int) -> Iterator[list[str]]:
    """Yield the sentences of each document, which have so many words together."""
    start = 0
    for _ in range(_DOCUMENTS):
        found: list[str] = []
        total = 0
        while total < words:
            found += sentences(1, start=start + len(found))
            total += count_words(found[-1])
        start += len(found)
        yield found


if __name__ == "__main__":
    sys.exit(main("document", measure, DEFAULTS, __doc__))
