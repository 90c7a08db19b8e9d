"""Run a process of ours that stops itself once, with records in hand: `python frozen_process.py MODULE METHOD`.

METHOD of the transactional producer says where: before `commit` (records handled), `_write` (claimed as this
member) or `_commit` (everything sent, the transaction still open). SIGCONT lets it go on from there.
"""

import os
import runpy
import signal
import sys
from typing import Any

from connectors.kafka.transactional_producer import TransactionalProducer


def freeze_before(method: str) -> None:
    """Make the next call of the method stop the process first."""
    original = getattr(TransactionalProducer, method)

    def frozen(*arguments: Any) -> None:
        setattr(TransactionalProducer, method, original)
        os.kill(os.getpid(), signal.SIGSTOP)
        original(*arguments)

    setattr(TransactionalProducer, method, frozen)


if __name__ == "__main__":
    freeze_before(sys.argv[2])
    runpy.run_module(sys.argv[1], run_name="__main__")
