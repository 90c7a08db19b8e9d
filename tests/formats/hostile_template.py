"""A template of the sandbox that also knows a format whose documents say what their filter does to the process."""

import os
import signal
import socket
import subprocess
import sys
import time

from connectors.formats.protocol import Extraction, Unit
from connectors.formats.registry import FORMATS, Format
from connectors.formats.sandbox_template import main
from schemas.errors import PermanentError

HOARD: list[bytearray] = []


class HostileFilter:
    media_types = frozenset({"text/x-hostile"})
    version = "1"

    def extract(self, source, options):
        found = DEEDS[source.read().decode().strip()]()
        return Extraction((Unit(str(found)),), b"")

    def merge(self, source, skeleton, units, output, options):
        while True:
            output.write(b"x" * 1_000_000)


def _eat():
    while True:
        HOARD.append(bytearray(10_000_000))


def _spin():
    while True:
        pass


def _leave_a_child():
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    time.sleep(600)


def _fail():
    raise KeyError("the document's own words")


def _refuse():
    raise PermanentError("no_text", "nothing", field="content_ref", limit="1", cure="send more")


def _connect():
    listening = socket.socket()
    try:
        listening.connect(("192.0.2.1", 9))
    except OSError as error:
        return os.strerror(error.errno or 0)


DEEDS = {
    "eat": _eat,
    "spin": _spin,
    "sleep": lambda: time.sleep(600),
    "crash": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "leave": lambda: os._exit(0),
    "orphan": _leave_a_child,
    "fail": _fail,
    "refuse": _refuse,
    "connect": _connect,
    "environment": lambda: sorted(os.environ),
    "folder": lambda: os.listdir(os.path.dirname(os.getcwd())),
    "session": lambda: os.getsid(0) == os.getpid(),
    "descriptors": lambda: len(os.listdir("/proc/self/fd")),
}

if __name__ == "__main__":
    FORMATS["hostile"] = Format("hostile", HostileFilter(), "text/x-hostile", frozenset({"hostile"}), is_text=True)
    main()
