"""Resume the streams after a rebalance, however long Kafka is away meanwhile.

After each rebalance Faust's recovery task asks for the committed offsets, and gives that up after the request
timeout. Its wait then says "stopped", and the task ends for good: the process stays a member of the group, holds
its partitions and never fetches again. aiokafka goes on asking until Kafka answers, so nothing needs a limit here.
"""

from typing import Any

from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery


class PatientRecovery(Recovery):
    """Waits without a limit; the next rebalance and the end of the process still interrupt it."""

    async def _wait(self, coro: Any, timeout: Any = None) -> None:
        del timeout
        await super()._wait(coro)


class PatientTables(TableManager):
    """Has a patient recovery. Our applications have no tables, but Faust resumes its streams there."""

    @property
    def recovery(self) -> Recovery:
        """Return the recovery service, the same one each time."""
        if self._recovery is None:
            self._recovery = PatientRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery
