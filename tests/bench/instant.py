"""A stack whose workers have an engine that takes no time: `python -m tests.bench.instant`.

It is the supervisor of such a stack; with `worker` it is one of its workers. Everything else of the worker is the
real one, and the model is loaded as usual; only the translation of a sentence is the sentence with other vowels:
the sentence itself would be taken for what an engine did not translate.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

from deploy.local.background import supervise_in_background
from deploy.local.machine import PortBook
from deploy.local.process_spec import ProcessSpec
from deploy.local.settings import StackSettings
from deploy.local.stack import build_processes, python_command
from inference_workers import main as worker
from inference_workers.engines.bergamot import BergamotEngine
from inference_workers.engines.protocol import Translation

MODULE = "tests.bench.instant"
_WORKER = "worker"


_OTHER_VOWELS = str.maketrans("aeiou", "eioua")


def instantly(_engine: BergamotEngine, sentences: Sequence[str], _options: Mapping[str, str]) -> list[Translation]:
    """Answer with other vowels in every plain word."""
    return [Translation(" ".join(map(_otherwise, sentence.split(" ")))) for sentence in sentences]


def _otherwise(word: str) -> str:
    return word.translate(_OTHER_VOWELS) if word.isalpha() and word.islower() else word


def plan(settings: StackSettings, ports: PortBook) -> list[ProcessSpec]:
    """Return the usual processes; the workers are started by this module."""
    return [
        replace(spec, command=(*python_command(MODULE), _WORKER)) if spec.name.startswith("worker-") else spec
        for spec in build_processes(settings, ports)
    ]


def main() -> int:
    """Return 0 when it was stopped on request."""
    if _WORKER not in sys.argv:
        return supervise_in_background(StackSettings(), plan)
    BergamotEngine.translate = instantly  # type: ignore[assignment,method-assign]  # the real loader makes the engine
    worker.main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
