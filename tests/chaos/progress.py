"""Show how far a run is: on a terminal one line that changes, elsewhere a line every few seconds."""

from rich.console import Console
from rich.live import Live
from rich.text import Text

_LINE_EVERY_SECONDS = 10.0
_REFRESH_SECONDS = 0.5


class Ticker:
    """Shows the state at most every few seconds. A context manager, so that the terminal is restored."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._pause_seconds = _REFRESH_SECONDS if console.is_terminal else _LINE_EVERY_SECONDS
        self._next_at = 0.0

    def __enter__(self) -> "Ticker":
        self._live.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._live.stop()

    def say(self, line: str) -> None:
        """Print a line at once."""
        self._console.print(line)

    def tell(self, now_seconds: float, line: str) -> None:
        """Show the line if the last one is old enough."""
        if now_seconds < self._next_at:
            return
        self._next_at = now_seconds + self._pause_seconds
        if self._console.is_terminal:
            self._live.update(Text(line), refresh=True)
        else:
            self._console.print(line)
