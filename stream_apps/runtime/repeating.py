"""Do something again and again on a thread of its own, beside what the process is for."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def repeating(name: str, turn: Callable[[], float], first_seconds: float) -> Iterator[None]:
    """Call `turn` inside the context, first after so many seconds; it returns the seconds until the next time.

    The end of the context waits for a turn under way. What a turn raises ends the thread.
    """
    ended = threading.Event()

    def run() -> None:
        pause = first_seconds
        while not ended.wait(pause):
            pause = turn()

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
