"""What a caller may wish of a translation, be it of a text or of a file, and how it gets into the request."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from producers.http.moments import milliseconds_of
from schemas.messages import TranslationRequest, changed


class Wishes(Protocol):
    """The wishes of a submission; the body of a text and the form of a file have them all."""

    @property
    def glossaries(self) -> Sequence[str]: ...
    @property
    def do_not_translate(self) -> Sequence[str]: ...
    @property
    def filter_options(self) -> Mapping[str, str]: ...
    @property
    def engine_options(self) -> Mapping[str, str]: ...
    @property
    def deadline(self) -> datetime | None: ...
    @property
    def late_policy(self) -> str | None: ...
    @property
    def metadata(self) -> Mapping[str, str]: ...
    @property
    def labels(self) -> Mapping[str, str]: ...
    @property
    def callback(self) -> str | None: ...


def with_wishes(request: TranslationRequest, wishes: Wishes) -> TranslationRequest:
    """Return the request with the wishes of its caller."""
    return changed(
        request,
        glossaries=wishes.glossaries,
        do_not_translate=wishes.do_not_translate,
        filter_options=wishes.filter_options,
        engine_options=wishes.engine_options,
        deadline=milliseconds_of(wishes.deadline),
        late_policy=wishes.late_policy,
        metadata=wishes.metadata,
        labels=wishes.labels,
        callback=wishes.callback,
    )
