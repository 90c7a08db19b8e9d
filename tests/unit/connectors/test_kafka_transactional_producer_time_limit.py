"""A call that never returns ends the process; one that returns does not."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from connectors.kafka.transactional_producer import Watchdog
from schemas.errors import FATAL_EXIT_CODE

CHECKOUT = Path(__file__).parents[3]


def test_a_process_that_waits_for_ever_in_a_call_ends_so_that_another_is_started():
    program = (
        "import threading\n"
        "from connectors.kafka.transactional_producer import ends_process_after\n"
        "with ends_process_after(0.2, 'wait'): threading.Event().wait()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, timeout=30, check=False
    )

    assert done.returncode == FATAL_EXIT_CODE
    assert "call_never_returned" in done.stdout


def test_time_in_which_the_process_itself_stood_still_does_not_count():
    program = (
        "import os, signal, time\n"
        "from connectors.kafka.transactional_producer import ends_process_after\n"
        "with ends_process_after(1.0, 'sleep'):\n"
        "    os.kill(os.getpid(), signal.SIGSTOP)\n"
        "    time.sleep(0.2)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], cwd=CHECKOUT)
    os.waitpid(process.pid, os.WUNTRACED)
    time.sleep(1.5)
    process.send_signal(signal.SIGCONT)

    assert process.wait(30) == 0


def test_calls_that_return_in_time_share_one_thread_and_end_nothing():
    ended: list[int] = []
    watchdog = Watchdog(ended.append, tick_seconds=0.01)
    before = threading.active_count()
    for _ in range(100):
        with watchdog.watching(0.05, "quick"):
            pass
    threading.Event().wait(0.2)

    assert ended == []
    assert threading.active_count() == before + 1


def test_the_time_of_each_call_is_its_own_while_others_come_and_go():
    ended: list[int] = []
    watchdog = Watchdog(ended.append, tick_seconds=0.02)
    began = time.monotonic()
    with watchdog.watching(0.3, "hangs"):
        while not ended and time.monotonic() - began < 10:
            with watchdog.watching(0.1, "quick"):
                time.sleep(0.01)

    assert ended == [FATAL_EXIT_CODE]
    assert time.monotonic() - began >= 0.3


def test_a_call_is_watched_that_comes_after_a_rest():
    ended: list[int] = []
    watchdog = Watchdog(ended.append, tick_seconds=0.01)
    with watchdog.watching(0.05, "quick"):
        pass
    threading.Event().wait(0.1)
    with watchdog.watching(0.05, "hangs"):
        threading.Event().wait(0.5)

    assert ended == [FATAL_EXIT_CODE]
