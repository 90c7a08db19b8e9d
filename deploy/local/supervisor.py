"""Runs all processes of the stack: stage by stage up, in reverse down, restarted in between."""

import asyncio
from collections.abc import Iterable, Sequence

from deploy.local.failures import StackError
from deploy.local.keeper import ProcessSupervisor, Observer, Surroundings
from deploy.local.process_spec import ProcessSpec, stages_of


class StackSupervisor:
    """Its processes end with it, however it ends. Call from one task at a time."""

    def __init__(self, surroundings: Surroundings, observe: Observer) -> None:
        self._surroundings = surroundings
        self._observe = observe
        self._keepers: dict[str, ProcessSupervisor] = {}

    async def start(self, specs: Sequence[ProcessSpec]) -> None:
        """Returns when all are ready. Raises StackError naming the first that is not; then call `stop`."""
        for stage in stages_of(specs):
            keepers = [ProcessSupervisor(spec, self._surroundings, self._observe) for spec in stage]
            self._keepers |= {keeper.spec.name: keeper for keeper in keepers}
            await _start_together(keepers)

    async def change_to(self, specs: Sequence[ProcessSpec]) -> None:
        """Stops what `specs` does not name, starts what is new in it, leaves the rest alone.

        Raises StackError naming a process that did not get ready; that one is stopped, the others run on.
        """
        wanted = {spec.name for spec in specs}
        await self._stop([keeper for name, keeper in self._keepers.items() if name not in wanted])
        added = [spec for spec in specs if spec.name not in self._keepers]
        try:
            await self.start(added)
        except StackError:
            await self._stop([self._keepers[spec.name] for spec in added if spec.name in self._keepers])
            raise

    async def restart(self, name: str) -> None:
        """Stops that process and starts it again; returns when it is ready. Raises StackError when it is not."""
        keeper = self._keepers.get(name)
        if keeper is None:
            return
        await self._stop([keeper])
        await self.start([keeper.spec])

    async def stop(self) -> None:
        """Stops all, the last stage first; a stage together. Returns when none is left."""
        specs = [keeper.spec for keeper in self._keepers.values()]
        for stage in reversed(stages_of(specs)):
            await self._stop([self._keepers[spec.name] for spec in stage])

    async def _stop(self, keepers: Iterable[ProcessSupervisor]) -> None:
        stopping = list(keepers)
        await asyncio.gather(*(keeper.stop() for keeper in stopping))
        for keeper in stopping:
            del self._keepers[keeper.spec.name]


async def _start_together(keepers: Iterable[ProcessSupervisor]) -> None:
    starts = [asyncio.create_task(keeper.start()) for keeper in keepers]
    try:
        done, _ = await asyncio.wait(starts, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for start in starts:
            start.cancel()
    if failures := [error for start in done if (error := start.exception())]:
        raise failures[0]
