"""What becomes of a text, and what becomes of a text whose parts were translated one by one. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from inference_workers.fidelity import flaws


class Outcome(NamedTuple):
    """A translation, or the `cause` why there is none; then `text` is the source.

    A `warning` names what a reader should look at in a translation.
    """

    text: str
    score: float | None
    cause: str | None = None
    attempts: int = 1
    warning: str | None = None

    @property
    def is_sound(self) -> bool:
        """Return whether there is nothing to hold against it."""
        return self.cause is None and self.warning is None

    @property
    def may_differ(self) -> bool:
        """Return whether the engine could say something else of the same text."""
        return self.cause != flaws.TRUNCATED and self.warning != flaws.TOO_MANY_SPANS


def together(source: str, text: str, parts: Sequence[Outcome], attempts: int = 0) -> Outcome:
    """Return the outcome of `source` whose parts have these outcomes and make up `text`.

    One hole makes a hole of the whole. `attempts` came before.
    """
    attempts += max((part.attempts for part in parts), default=0)
    cause = next((part.cause for part in parts if part.cause), None)
    if cause:
        return Outcome(source, None, cause, attempts)
    warning = next((part.warning for part in parts if part.warning), None)
    return Outcome(text, least([part.score for part in parts]), None, attempts, warning)


def least(scores: Sequence[float | None]) -> float | None:
    """Return the least score; None where one is unknown."""
    known = [score for score in scores if score is not None]
    return min(known) if known and len(known) == len(scores) else None
