"""The ordinary worker, but while a file exists it finds no sentence with a certain word plausible.

`python worker_with_holes.py FILE WORD`
"""

import sys
from pathlib import Path

from inference_workers.fidelity import flaws
from inference_workers.main import main

FLAG, WORD = Path(sys.argv[1]), sys.argv[2]
_flaw_of = flaws.flaw_of


def flaw_of(source: str, translated: str, bounds: flaws.LengthBounds = flaws.ANY_PAIR) -> str | None:
    return "repetition_loop" if WORD in source and FLAG.exists() else _flaw_of(source, translated, bounds)


flaws.flaw_of = flaw_of

if __name__ == "__main__":
    main()
