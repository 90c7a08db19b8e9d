"""The supervisor of a stack under chaos: `python -m tests.chaos.staging REFUSAL_FILE [CONTROL]`.

The usual processes; some are started through a wrapper of the harness, and all restart quickly.
"""

import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from deploy.local.background import DETACHED, supervise_in_background
from deploy.local.machine import PortBook
from deploy.local.process_spec import ProcessSpec, RestartPolicy
from deploy.local.settings import StackSettings
from deploy.local.stack import build_processes, python_command
from stream_apps.runtime.retry import RetryPolicy
from tests.chaos.controls import ASSEMBLY, INTAKE, WORKER, is_broken
from tests.chaos.faults import SESSION_SECONDS
from tests.chaos.traffic import OWN_TENANT

# By default a process that lived less than 30 s waits twice as long before its restart; kills come more often.
_RESTART = RestartPolicy(RetryPolicy(0.3, 4.0), stable_after_seconds=6.0)

_ENVIRONMENT: Mapping[str, str] = {
    "DRAGOMAN_KAFKA_SESSION_TIMEOUT_MS": f"{SESSION_SECONDS * 1000:.0f}",
    # Low, so that long texts and translations go through the object store.
    "DRAGOMAN_HTTP_MAX_INLINE_BYTES": "10000",
    "DRAGOMAN_ASSEMBLY_INLINE_LIMIT_BYTES": "20000",
    # Low, so that a good part of the requests waits in bulk lanes.
    "DRAGOMAN_REQUESTS_BULK_WORDS": "30",
    "DRAGOMAN_KAFKA_TENANTS": f'["{OWN_TENANT}"]',
}
_CONTROLLED = {"intake": INTAKE, "worker": WORKER, "assembly": ASSEMBLY}
# It would repair what a control breaks on purpose.
_NOT_UNDER_CONTROL = ("repair",)


def plan(refusal: Path, control: str, settings: StackSettings, ports: PortBook) -> list[ProcessSpec]:
    """Return the processes of the platform as the harness starts them."""
    return [
        _staged(spec, refusal, control)
        for spec in build_processes(settings, ports)
        if not (control and role_of(spec.name) in _NOT_UNDER_CONTROL)
    ]


def role_of(name: str) -> str:
    """Strip the number: worker-2 is a worker."""
    role, _, number = name.rpartition("-")
    return role if number.isdigit() else name


def command(refusal: Path, control: str) -> tuple[str, ...]:
    """Return the command that runs this supervisor."""
    return (*python_command("tests.chaos.staging"), str(refusal), *([control] if control else []))


def _staged(spec: ProcessSpec, refusal: Path, control: str) -> ProcessSpec:
    return replace(
        spec,
        command=_command(spec, refusal, control),
        environment={**spec.environment, **_ENVIRONMENT},
        restart=_RESTART,
    )


def _command(spec: ProcessSpec, refusal: Path, control: str) -> tuple[str, ...]:
    role = role_of(spec.name)
    if role == "analytics":
        return (*python_command("tests.chaos.refusing_clickhouse"), str(refusal))
    if control and is_broken(control, _CONTROLLED.get(role, "")):
        return (*python_command("tests.chaos.controls"), control, _CONTROLLED[role])
    return spec.command


def main() -> int:
    """Return 0 when it was stopped on request."""
    refusal, *control = [argument for argument in sys.argv[1:] if argument != DETACHED]
    return supervise_in_background(StackSettings(), partial(plan, Path(refusal), "".join(control)))


if __name__ == "__main__":
    sys.exit(main())
