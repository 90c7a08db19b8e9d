"""`python -m deploy.local`: the stack in the foreground. Also the functions that other programs control it by."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.local.background import DETACHED, supervise_in_background
from deploy.local.control import down, is_running, read_run, restart, scale, scale_automatically, up
from deploy.local.failures import StackError
from deploy.local.report import LineReport
from deploy.local.settings import StackSettings

__all__ = ["down", "is_running", "main", "read_run", "restart", "scale", "scale_automatically", "up"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs until SIGINT or SIGTERM. Answers the exit code: 0 stopped as asked, 1 could not start."""
    options = vars(_parser().parse_args(arguments))
    if options.pop("detached"):
        return supervise_in_background(StackSettings())
    settings = StackSettings(**{name: value for name, value in options.items() if value is not None})
    report = LineReport()
    try:
        up(settings, detach=False, on_progress=report.progress)
    except StackError as error:
        report.failed(str(error))
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.local", description="The whole platform on one machine."
    )
    parser.add_argument("--root", type=Path, help="where it keeps everything it writes (.dragoman)")
    parser.add_argument("--workers", type=int, help="translating processes (2)")
    parser.add_argument("--fresh", action="store_const", const=True, help="forget the data of earlier runs")
    parser.add_argument(
        "--stores-only", action="store_const", const=True, help="Kafka and the Valkeys, nothing of the platform"
    )
    parser.add_argument(DETACHED, action="store_true", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
