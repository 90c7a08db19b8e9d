"""How fast this worker is, so that a cycle takes a chosen time and a position in the queue has an end."""

from dataclasses import dataclass

# Weight of the newest cycle: old speed is forgotten after about ten cycles.
_ALPHA = 0.2


@dataclass
class Speedometer:
    """An exponentially weighted mean of words per second of work, reused segments included."""

    words_per_second: float

    def add(self, words: int, seconds: float) -> None:
        """A cycle of that many words took so long. Cycles answered from memory alone say nothing."""
        if words and seconds > 0:
            self.words_per_second += _ALPHA * (words / seconds - self.words_per_second)

    def words_in(self, seconds: float) -> int:
        """The words of a cycle that should take so long; never less than one."""
        return max(int(self.words_per_second * seconds), 1)
