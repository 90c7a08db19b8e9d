"""What every store must be able to do to be saved and brought back."""

from collections.abc import Callable
from typing import Any, Protocol

from deploy.backup.archive import Backup, Draft

PartFacts = dict[str, Any]

OnPartProgress = Callable[[str, int, int | None], None]
"""Told a part, how many records of it are done, and how many there are, where that is known."""


class BackupPart(Protocol):
    """One store. Raises TransientError when it is away."""

    @property
    def name(self) -> str:
        """The folder of its files in a backup."""

    def save(self, draft: Draft, on_progress: OnPartProgress) -> PartFacts:
        """Adds its files; what it answers stands in the manifest."""

    def restore(self, backup: Backup, replace: bool, on_progress: OnPartProgress) -> PartFacts:
        """Brings its files back; may be repeated, also after it was cut short. Answers what was done."""
