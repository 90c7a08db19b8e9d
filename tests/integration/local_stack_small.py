"""A supervisor of tiny processes, run by path as `python -m deploy.local.main` is: a store, then some workers."""

import os
import sys

from deploy.local.background import supervise_in_background
from deploy.local.machine import PortBook
from deploy.local.process_spec import AnswersOk, ProcessSpec, RestartPolicy, TcpOpen
from deploy.local.settings import StackSettings
from stream_apps.runtime.retry import RetryPolicy

COMMAND = (sys.executable, __file__)

SERVER = """
import signal, socket, subprocess, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
if "with-child" in sys.argv:
    subprocess.Popen(["sleep", "600"])
if "deaf" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    caller = server.accept()[0]
    caller.recv(1000)
    caller.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n")
    caller.close()
"""


def server(name: str, port: int, stage: int, *traits: str) -> ProcessSpec:
    """Answers everything with 200. Traits: with-child, deaf (to SIGTERM)."""
    command = (sys.executable, "-I", "-S", "-c", SERVER, str(port), *traits)
    ready = TcpOpen(port) if stage == 1 else AnswersOk(f"http://127.0.0.1:{port}/ready")
    quick = RestartPolicy(RetryPolicy(0.05))
    return ProcessSpec(name, command, stage, ready, stop_timeout_seconds=0.5, restart=quick)


def broken(name: str, stage: int) -> ProcessSpec:
    """Says why, and ends."""
    command = (sys.executable, "-I", "-S", "-c", "import sys; sys.exit('no model in /models')")
    quick = RestartPolicy(RetryPolicy(0.05), start_attempts=2)
    return ProcessSpec(name, command, stage, TcpOpen(1), restart=quick)


def never_ready(name: str, stage: int) -> ProcessSpec:
    """Runs, but not as wanted."""
    return ProcessSpec(name, ("sleep", "600"), stage, TcpOpen(1), ready_timeout_seconds=60.0)


def plan(settings: StackSettings, ports: PortBook) -> list[ProcessSpec]:
    """SMALL_STACK_FAULT in the environment adds a process that does not work."""
    workers = [f"worker-{number}" for number in range(1, settings.workers + 1)]
    healthy = [
        server("store", ports.port("store"), 1, "with-child"),
        *(server(name, ports.port(name), 2) for name in workers),
    ]
    match os.environ.get("SMALL_STACK_FAULT"):
        case "broken":
            return [*healthy, broken("sick", 3)]
        case "never ready":
            return [*healthy, never_ready("slow", 3)]
    return healthy


if __name__ == "__main__":
    sys.exit(supervise_in_background(StackSettings(), plan))
