"""Run a process of ours that stops itself once, with records in hand: `python frozen_process.py MODULE METHOD`.

METHOD says where. Of a transactional producer: before `commit` (records handled), `_write` (claimed as this
member) or `_commit` (all sent, the transaction still open). Of a worker: before `send_async` (translated) or
`commit` (sent and stored). SIGCONT lets it go on from there.
"""

import os
import runpy
import signal
import sys
from typing import Any

from connectors.kafka.committing_reader import CommittingReader
from connectors.kafka.producer import DurableProducer
from connectors.kafka.transactional_producer import TransactionalProducer

_WORKER = "inference_workers.main"


def freeze_before(module: str, method: str) -> None:
    """Make the next call of the method that does something stop the process first."""
    owner: Any = TransactionalProducer
    if module == _WORKER:
        owner = DurableProducer if method == "send_async" else CommittingReader
    original = getattr(owner, method)

    def frozen(one: Any, *arguments: Any) -> Any:
        if isinstance(one, CommittingReader) and not one.tracker.due():
            return original(one, *arguments)
        setattr(owner, method, original)
        os.kill(os.getpid(), signal.SIGSTOP)
        return original(one, *arguments)

    setattr(owner, method, frozen)


if __name__ == "__main__":
    freeze_before(*sys.argv[1:3])
    runpy.run_module(sys.argv[1], run_name="__main__")
