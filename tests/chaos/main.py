"""Kill everything again and again, and prove that nothing is lost or doubled: `python -m tests.chaos`."""

import argparse
import math
import signal
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from deploy.local.errors import StackError
from tests.chaos.controls import Control
from tests.chaos.progress import Ticker
from tests.chaos.report import show, write_json
from tests.chaos.run import Run, UnfitReferenceError
from tests.chaos.scenario import DEFAULT_PACE_SECONDS, Scenario
from tests.servers import CHECKOUT

_DRAGOMAN = CHECKOUT / ".dragoman"
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 when every invariant held; 1 when one did not, or recovery was slower than the limit;
    2 when nothing could be proved.
    """
    options = _parser().parse_args(arguments)
    root = options.root.absolute()
    scenario = Scenario(
        options.kills,
        options.requests,
        options.seed,
        options.control,
        root,
        recovery_limit_seconds=options.recovery,
        pace_seconds=options.pace,
    )
    console = Console()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with Ticker(console) as ticker:
            report = Run(scenario, ticker).report()
    except KeyboardInterrupt:
        console.print("interrupted; everything was stopped")
        return _INTERRUPTED
    except (StackError, UnfitReferenceError) as error:
        console.print(str(error))
        return 2
    write_json(report, options.report)
    show(report, console)
    return 0 if report.is_good else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=60, help="how many SIGKILLs")
    parser.add_argument(
        "--pace", type=_positive, default=DEFAULT_PACE_SECONDS, help="seconds for each of them; the rest follows"
    )
    parser.add_argument("--requests", type=int, default=1200, help="how many requests, repeats not counted")
    parser.add_argument("--seed", type=int, default=1, help="draws texts, requests and faults")
    parser.add_argument("--control", choices=["", *Control], default="", help="make something wrong on purpose")
    parser.add_argument(
        "--recovery", type=float, help="seconds; exit code 1 too where the 95th percentile of a kind is above"
    )
    parser.add_argument("--root", type=Path, default=_DRAGOMAN / "chaos", help="emptied before the run")
    parser.add_argument("--report", type=Path, default=_DRAGOMAN / "chaos.json", help="where the report goes")
    return parser


def _positive(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text}: must be seconds above 0")
    return seconds
