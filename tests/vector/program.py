"""Run the cases of deploy/vector/tests.yaml on the runtime of Vector's language, without Vector: `make test-vrl`.

As Vector does, the program and then each condition of a case see one event. Each case is run once more with a line
behind the program that spoils its row: a condition that holds then, too, would show nothing.
"""

import sys
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # no stubs are installed
from pyvrl import Transform  # type: ignore[import-not-found]  # it has an environment of its own: .venv-vrl

FOLDER = Path(__file__).parents[2] / "deploy" / "vector"
_SPOILED = '. = {"event": "spoiled"}'


def main() -> int:
    """Print what each case shows; return 1 unless all hold, and none of them by chance."""
    program = (FOLDER / "read_line.vrl").read_text("utf-8")
    cases = yaml.safe_load((FOLDER / "tests.yaml").read_text("utf-8"))["tests"]
    failed = 0
    for case in cases:
        said = fault(program, case)
        if not said and not fault(f"{program}\n{_SPOILED}", case):
            said = "its conditions hold for any row"
        print(f"{case['name']}: {said or 'holds'}")
        failed += bool(said)
    return 1 if failed or not cases else 0


def fault(program: str, case: dict[str, Any]) -> str:
    """Return what the runtime says against a case; empty where the program compiles and every condition holds."""
    event = dict(case["inputs"][0]["log_fields"])
    conditions = [one["source"] for output in case["outputs"] for one in output["conditions"]]
    try:
        Transform("\n".join([program, *conditions])).remap(event)
    except ValueError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    sys.exit(main())
