"""Which tests run one after the other in the same process, when `make test` runs several processes.

Each process that needs real servers starts its own: tests of one file share consumer groups and topics, and assume
that nobody else uses them. Tests of the whole stack stay in one process, because a second stack costs more than it
gains.
"""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

_ON_THE_STACK = ("tests/e2e/", "tests/fuzz/test_poison_on_the_stack.py")


class FileScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist carries no types
    """Hands out one file at a time, except that every test of the `stack` fixture belongs to one unit.

    Files go out in the order of collection: chaos, end-to-end and integration tests start before the unit tests,
    which fill up the time at the end.
    """

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return "stack" if nodeid.startswith(_ON_THE_STACK) else nodeid.split("::", 1)[0]
