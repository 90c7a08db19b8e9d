"""How a supervisor tells what it does: lines for people, or JSON lines for the process that started it."""

import json
import os
import sys
import time
from typing import Any


class LineReport:
    """For a supervisor in the foreground."""

    def progress(self, name: str, state: str) -> None:
        """One line on standard output."""
        print(f"{time.strftime('%H:%M:%S')} {name}: {state}", flush=True)

    def ready(self) -> None:
        """All are up."""
        self.progress("stack", "ready; Ctrl-C stops it")

    def failed(self, message: str) -> None:
        """The stack did not start."""
        print(message, file=sys.stderr, flush=True)


class JsonReport:
    """For a supervisor in the background: to its log for ever, to its starter until that knows the outcome."""

    def __init__(self) -> None:
        self._starter_listens = True

    def progress(self, name: str, state: str) -> None:
        """A process changed its state."""
        self._tell({"name": name, "state": state})

    def ready(self) -> None:
        """All are up; the starter may go."""
        self._tell({"ready": True})
        self._starter_listens = False
        _point_to_nothing(sys.stdout.fileno())

    def failed(self, message: str) -> None:
        """The stack did not start."""
        self._tell({"failed": message})

    def _tell(self, event: dict[str, Any]) -> None:
        print(json.dumps({"at": time.strftime("%Y-%m-%dT%H:%M:%S%z"), **event}), file=sys.stderr, flush=True)
        if self._starter_listens:
            try:
                print(json.dumps(event), flush=True)
            except BrokenPipeError:  # the starter was killed; the stack is none the worse
                self._starter_listens = False
                _point_to_nothing(sys.stdout.fileno())


def _point_to_nothing(descriptor: int) -> None:
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, descriptor)
    os.close(nothing)
