"""Read and change the glossaries of a tenant, and check those that a submission names. Knows no routes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from producers.http.blocking.waiting_line import WaitingLine
from schemas.glossaries import Glossary
from schemas.messages import TranslationRequest
from stream_apps.glossaries.changes import Writing, deleted, new_version
from stream_apps.glossaries.limits import GlossaryLimits
from stream_apps.glossaries.shelf import Shelf, Wanted, resolved
from stream_apps.glossaries.store import GlossaryReader, GlossaryStore, Plan
from stream_apps.pipeline.request_rules import RequestedLanguages

_REFUSAL = "too many change glossaries at the same time"


@dataclass
class Glossaries:
    """The glossaries of all tenants. Nothing is read before somebody asks. For one event loop.

    `most_waiting` changes are under way or in line at a time.
    """

    store: GlossaryStore
    now_ms: Callable[[], int]
    limits: GlossaryLimits = field(default_factory=GlossaryLimits)
    most_waiting: int = 20
    _reader: GlossaryReader = field(init=False)
    _changes: WaitingLine = field(init=False)

    def __post_init__(self) -> None:
        self._reader = GlossaryReader(self.store, self.now_ms)
        self._changes = WaitingLine(1, self.most_waiting, _REFUSAL)

    async def read(self) -> Shelf:
        """Return the glossaries as they are now. Raises TransientError."""
        return await self._reader.read(self.now_ms())

    async def add(self, wish: Glossary) -> Glossary:
        """Write the next version, and return it. Raises PermanentError, TransientError, OverloadedError."""
        writing = await self.change(lambda found: new_version(found, wish, self.limits))
        return writing.written[0]

    async def delete(self, tenant: str, name: str) -> None:
        """Delete `name@version`, or all of `name`. Raises as `add` does."""
        await self.change(lambda found: deleted(found, tenant, name, self.now_ms()))

    async def change(self, plan: Plan) -> Writing:
        """Write what the plan makes of the glossaries as they are, and return it. Raises as `add` does."""
        return await self._changes.run(self.store.change, plan)

    async def check(self, asked: Iterable[tuple[TranslationRequest, RequestedLanguages]]) -> None:
        """Refuse requests that name a glossary which there is not, or is not for their languages.

        Raises PermanentError, TransientError.
        """
        wanted = [
            Wanted(request.tenant, request.glossaries, *languages.pair)
            for request, languages in asked
            if request.glossaries
        ]
        if wanted:
            shelf = await self.read()
            for one in wanted:
                resolved(shelf, one)
