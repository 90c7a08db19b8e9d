"""Serve the application in memory and let schemathesis ask everything that its OpenAPI document describes.

Usage: python -m tests.openapi [what `schemathesis run` takes]. Its configuration is schemathesis.toml.
"""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import uvicorn

from tests.openapi.platform import described_app
from tests.ports import free_port

_CONFIGURATION = Path(__file__).parent / "schemathesis.toml"


def main(arguments: list[str]) -> int:
    """Return the exit status of schemathesis: 0 where everything is as described."""
    app, key = described_app()
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.05)
        command = [
            str(Path(sys.executable).with_name("schemathesis")),
            *("--config-file", str(_CONFIGURATION), "run", f"http://127.0.0.1:{port}/openapi.json"),
            *arguments,
        ]
        return subprocess.run(command, check=False, env=os.environ | {"DRAGOMAN_API_KEY": key}).returncode
    finally:
        server.should_exit = True
        thread.join()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
