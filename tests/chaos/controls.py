"""Break worker and assembly on purpose, to see that the verdict notices: `... CONTROL MODULE`.

Each breaks the one transaction in which a cycle's outputs and offsets are committed.
"""

import runpy
import sys
import time
from collections.abc import Callable
from enum import StrEnum

from stream_apps.runtime.transactional_processor import TransactionalProcessor

# Long enough that a kill falls into it now and then.
_GAP_SECONDS = 0.3


class Control(StrEnum):
    """What is broken; the comment says what must be noticed."""

    COMMIT_BEFORE_SEND = "commit-before-send"  # at most once: lost
    SEND_BEFORE_COMMIT = "send-before-commit"  # at least once: duplicates


def commit_before_send(cycle: TransactionalProcessor) -> bool:
    """Commit the offsets first: a process that dies before it sends the outputs loses them."""
    if records := cycle.source.take():
        cycle.producer.commit([], cycle.source.readers)
        outputs = cycle.handler.handle(records)
        time.sleep(_GAP_SECONDS)
        cycle.producer.commit(outputs, [])
        cycle.handler.committed()
    return bool(records)


def send_before_commit(cycle: TransactionalProcessor) -> bool:
    """Send the outputs first: a process that dies before it commits the offsets sends them again."""
    if records := cycle.source.take():
        cycle.producer.commit(cycle.handler.handle(records), [])
        time.sleep(_GAP_SECONDS)
        cycle.producer.commit([], cycle.source.readers)
        cycle.handler.committed()
    return bool(records)


_BROKEN: dict[Control, Callable[[TransactionalProcessor], bool]] = {
    Control.COMMIT_BEFORE_SEND: commit_before_send,
    Control.SEND_BEFORE_COMMIT: send_before_commit,
}


def main() -> None:
    """Run the module's main with the broken cycle."""
    control, module = sys.argv[1:]
    TransactionalProcessor._run_cycle = _BROKEN[Control(control)]  # type: ignore[method-assign, assignment]  # broken
    runpy.run_module(module, run_name="__main__")


if __name__ == "__main__":
    main()
