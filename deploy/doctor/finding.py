"""Examine one thing after the other: what was found wrong, and what could not be looked at."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Generic, TypeVar

from schemas.errors import DragomanError

Facts = TypeVar("Facts")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. `cure` is a command or a setting."""

    check: str
    message: str
    cure: str

    def __str__(self) -> str:
        return f"{self.check}: {self.message}; cure: {self.cure}"


class Verdict(IntEnum):
    """The exit status of `dragoman doctor`."""

    SOUND = 0
    FINDINGS = 1
    COULD_NOT_LOOK = 2


@dataclass(frozen=True)
class Report:
    """All that was found. `unseen` holds the reasons why something could not be looked at, each with its cure."""

    sound: tuple[str, ...]
    findings: tuple[Finding, ...]
    unseen: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """Return the exit status; what was found wrong outweighs what could not be looked at."""
        if self.findings:
            return Verdict.FINDINGS
        return Verdict.COULD_NOT_LOOK if self.unseen else Verdict.SOUND


@dataclass(frozen=True)
class Examination(Generic[Facts]):
    """One check: `look` asks the world and may fail with a DragomanError, `judge` is pure.

    `judge` returns (message, cure) for each thing that is wrong. `reach` says how to make looking possible.
    """

    name: str
    look: Callable[[], Facts]
    judge: Callable[[Facts], Iterable[tuple[str, str]]]
    reach: str

    def run(self) -> tuple[list[Finding], Finding | None]:
        """Look and judge. Returns the findings, and why it could not look where it could not."""
        try:
            facts = self.look()
        except (DragomanError, OSError) as error:
            return [], Finding(self.name, str(error), self.reach)
        return [Finding(self.name, message, cure) for message, cure in self.judge(facts)], None


def examine(examinations: Sequence[Examination[Facts]]) -> Report:
    """Run every examination; one that cannot look does not keep the others from it."""
    outcomes = {one.name: one.run() for one in examinations}
    return Report(
        sound=tuple(name for name, (found, unseen) in outcomes.items() if not found and unseen is None),
        findings=tuple(finding for found, _ in outcomes.values() for finding in found),
        unseen=tuple(unseen for _, unseen in outcomes.values() if unseen),
    )
