"""Serve the application in memory and let schemathesis ask everything that its OpenAPI document describes.

Usage: python -m tests.openapi [what `schemathesis run` takes]. Its configuration is schemathesis.toml.
"""

import os
import subprocess
import sys
from pathlib import Path

from tests.openapi.platform import served

_CONFIGURATION = Path(__file__).parent / "schemathesis.toml"


def main(arguments: list[str]) -> int:
    """Return the exit status of schemathesis: 0 where everything is as described."""
    program = str(Path(sys.executable).with_name("schemathesis"))
    with served() as (url, key):
        command = [program, "--config-file", str(_CONFIGURATION), "run", f"{url}/openapi.json", *arguments]
        return subprocess.run(command, check=False, env=os.environ | {"DRAGOMAN_API_KEY": key}).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
