"""Decide which tests run one after the other in the same process.

`make test` runs several processes. Each that needs real servers starts its own: tests of one file share consumer
groups and topics, and assume that nobody else uses them. Tests of the whole stack stay in one process, because a
second stack costs more than it gains; they follow each other, so that the stack can stop after the last one.
"""

from collections.abc import Sequence
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

_ON_THE_STACK = ("tests/e2e/", "tests/fuzz/test_poison_on_the_stack.py")


def uses_stack(nodeid: str) -> bool:
    """Return whether the test uses the `stack` fixture of tests/stack.py."""
    return nodeid.startswith(_ON_THE_STACK)


def in_order(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Return the tests in the order of collection, but all tests of the stack where its first one was."""
    on_stack = [item for item in items if uses_stack(item.nodeid)]
    first = items.index(on_stack[0]) if on_stack else 0
    rest = [item for item in items[first:] if not uses_stack(item.nodeid)]
    return [*items[:first], *on_stack, *rest]


class FileScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist carries no types
    """Hands out one file at a time, except that every test of the `stack` fixture belongs to one unit.

    Files go out in the order of collection: chaos, end-to-end and integration tests start before the unit tests,
    which fill up the time at the end.
    """

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return "stack" if uses_stack(nodeid) else nodeid.split("::", 1)[0]
