"""Which letters are open: those without a tombstone behind them. Pure: a fold over the topic."""

from collections.abc import Callable
from dataclasses import dataclass, field

from producers.cli.dead_letters.summary import DeadLetterSummary, summary_of
from schemas.codec import Codec
from schemas.errors import DecodeError
from schemas.messages import DeadLetter
from schemas.records import InboundRecord


@dataclass
class OpenDeadLetters:
    """Takes in the records of translation.dead_letters, each partition in its order.

    Remembers wanted letters only, and of them no values. `unreadable` counts what is no letter.
    """

    codec: Codec
    is_wanted: Callable[[DeadLetterSummary], bool]
    unreadable: int = 0
    _open: dict[bytes, DeadLetterSummary] = field(default_factory=dict, init=False)

    def add(self, record: InboundRecord) -> None:
        """The next record of its partition."""
        key = record.key or b""
        # The newest record of a key is all that counts, as for compaction.
        self._open.pop(key, None)
        if record.value is None:
            return
        try:
            letter = summary_of(self.codec.decode(record.value, DeadLetter), record)
        except DecodeError:
            self.unreadable += 1
            return
        if self.is_wanted(letter):
            self._open[key] = letter

    def oldest_first(self) -> list[DeadLetterSummary]:
        """All that are open and wanted."""
        return sorted(self._open.values(), key=lambda letter: (letter.failed_at, letter.dead_letter_id))
