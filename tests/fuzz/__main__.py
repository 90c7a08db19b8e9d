"""`make poison`: the whole campaign on a stack of its own; exit code 1 after any violation."""

import argparse
import json
import signal
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from deploy.local.main import down, up
from deploy.local.settings import StackSettings
from producers.cli.output import lines_of
from tests.fuzz.campaign import Campaign, Outcome, rows_of
from tests.servers import LIBRARIES
from tests.stack import Stack

REPORT = Path(".dragoman") / "poison.json"
_GOOD_ONE_IN = 20
# 10,000 records a topic took 265 seconds on two cores; slower machines may take twice as long.
_SECONDS_PER_RECORD = 0.05


def main() -> int:
    """Start a stack, run the campaign, print the outcome."""
    parser = argparse.ArgumentParser(prog="make poison")
    parser.add_argument("--records", type=int, default=10_000, help="for each topic")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as root:
        try:
            up(StackSettings(root=Path(root), kafka_libraries=LIBRARIES), detach=True, on_progress=_show)
            outcome = _campaign(Stack(Path(root)), options.records, options.seed).run()
        finally:
            down(Path(root))
    _tell(outcome, options.seed)
    return 1 if outcome.violations else 0


def _campaign(stack: Stack, records: int, seed: int) -> Campaign:
    return Campaign(stack, seed, records, max(records // _GOOD_ONE_IN, 1), 60 + records * _SECONDS_PER_RECORD)


def _tell(outcome: Outcome, seed: int) -> None:
    header = ("topic", "sent", "dead letters", "accepted", "causes")
    print(lines_of(header, list(rows_of(outcome))))
    print(
        f"\n{outcome.good_sent} good requests, {outcome.good_answered} answered, {outcome.good_twice} twice, "
        f"{outcome.good_wrong} wrong; {outcome.restarts} processes restarted; {outcome.seconds} s"
    )
    print("\n".join(outcome.violations) or "nothing stopped, nothing was lost")
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps({"seed": seed, **asdict(outcome), "violations": outcome.violations}, indent=2))
    print(f"written to {REPORT}")


def _show(name: str, state: str) -> None:
    print(f"  {name}: {state}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
