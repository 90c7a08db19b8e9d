"""What is translated, used and known in the tests of the page."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from playwright.sync_api import FilePayload

from producers.http.blocking.usage import By, Row, UsageQuestion
from schemas.budgets import Spending, month_of
from schemas.glossaries import Glossary
from schemas.message_parts import Hole, Suspect, Warning
from stream_apps.accounts.budgets import MeasuredBudgets
from stream_apps.glossaries.changes import Writing, new_version
from stream_apps.glossaries.limits import GlossaryLimits
from stream_apps.glossaries.shelf import Shelf
from stream_apps.glossaries.store import InMemoryGlossaries
from tests.page.platform import Site, now_ms

TEXT = """The lighthouse keeper's diary

I came to the island in the autumn of 1931, when the storms had already begun. The boat left me on the stones.

Every evening I climbed the 142 steps and lit the lamp. Ships passed far away, and they trusted the light.

In January the sea froze along the coast. I wrote three letters and kept them in a tin box."""
PARTS = (
    "O diário do faroleiro",
    "Cheguei à ilha no outono de 1931, quando as tempestades já haviam começado. O barco me deixou nas pedras.",
    "Todas as noites eu subia os 124 degraus. Ships passed far away, and they trusted the light.",
    "Em janeiro o mar congelou ao longo da costa. Escrevi três cartas e as guardei em uma caixa de lata.",
)
ARABIC = (
    "مذكرات حارس المنارة",
    "جئت إلى الجزيرة في خريف 1931، عندما كانت العواصف قد بدأت بالفعل. تركني القارب على الحجارة.",
    "كل مساء كنت أصعد 142 درجة وأضيء المصباح. مرت السفن بعيدًا، ووثقت بالضوء.",
    "في يناير تجمد البحر على طول الساحل. كتبت ثلاث رسائل واحتفظت بها في علبة من الصفيح.",
)
TERMS = "release = liberação\nBlue Bird\tPássaro Azul"


def file(name: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": "", "buffer": content}


# The last one is no format that is taken.
FILES = (
    file("annual report 2026.docx", b"PK" * 90_000),
    file("slides.pptx", b"PK" * 400_000),
    file("manual.html", b"<p>Good morning.</p>"),
    file("holiday.mp4", b"film"),
)


def hole(text: str, words: str, place: str = "") -> Hole:
    start, length = (text.index(words), len(words)) if words else (-1, -1)
    unit = 7 if place else -1
    return Hole(segment=4, cause="repetition_loop", start=start, length=length, place=place, unit=unit)


def suspect(text: str, words: str, place: str = "") -> dict[str, Any]:
    """Return the fields of a result with one suspect, whose figures differ."""
    start, length = (text.index(words), len(words)) if words else (-1, -1)
    unit = 7 if place else -1
    one = Suspect(segment=3, cause="figures_differ", start=start, length=length, place=place, unit=unit)
    return {"suspects": (one,), "warnings": (Warning(cause="figures_differ", count=1),)}


def fill_the_shelf(glossaries: InMemoryGlossaries) -> None:
    """Give acme two glossaries, the first in two versions."""
    terms = {"release": "liberação", "Blue Bird": "Pássaro Azul", "segment": "segmento", "queue": "fila"}
    for name, target, entries in (
        ("product-terms", "pt", {"release": "lançamento"}),
        ("product-terms", "pt", terms),
        ("legal", "de", {"party": "Vertragspartei"}),
    ):
        wish = Glossary(
            tenant="acme",
            name=name,
            version=0,
            source_language="en",
            target_language=target,
            entries=entries,
            created_at=now_ms(),
            created_by="tests",
        )
        glossaries.change(partial(_next_version, wish=wish))


def _next_version(found: Shelf, wish: Glossary) -> Writing:
    return new_version(found, wish, GlossaryLimits())


@dataclass(frozen=True)
class Spent:
    """What acme has spent of its budget."""

    spending: Spending

    async def read(self) -> dict[str, Spending]:
        return {"acme": self.spending}


@dataclass
class BookedMonth:
    """A month of usage of acme, to the present day, and its limits."""

    pairs: list[Row] = field(
        default_factory=lambda: [
            {"name": "en-pt", "requests": 311, "words": 81_200, "characters": 487_000},
            {"name": "en-pt-BR", "requests": 12, "words": 2_430, "characters": 14_100},
            {"name": "de-en", "requests": 40, "words": 9_870, "characters": 66_020},
        ]
    )

    def fill(self, site: Site) -> None:
        site.limit("acme", characters_per_day=50_000, requests_per_minute=100)
        spending = Spending(month_of(now_ms()), Decimal("412.50"), Decimal(500), stops=True)
        site.budgets = MeasuredBudgets(Spent(spending), 0.0, now_ms)
        site.restart()
        site.platform.rows_of = self.rows

    def rows(self, question: UsageQuestion) -> list[Row]:
        if question.by is By.PAIR:
            return self.pairs
        days = (question.until - question.since).days + 1
        return [_day_of(question, day) for day in range(days) if day % 7 not in {2, 3}]


def _day_of(question: UsageQuestion, day: int) -> Row:
    words = 900 + 613 * day % 4_100
    name = (question.since + timedelta(days=day)).isoformat()
    return {"name": name, "requests": 1 + words // 300, "words": words, "characters": 6 * words}


BOOKS = BookedMonth()
