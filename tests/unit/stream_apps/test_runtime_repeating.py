"""Work that is repeated beside what a process is for."""

import threading

from stream_apps.runtime.repeating import repeating


def test_it_is_done_again_and_again_until_the_context_ends():
    names: list[str] = []
    enough = threading.Event()

    def turn() -> float:
        names.append(threading.current_thread().name)
        if len(names) == 3:
            enough.set()
        return 0.0

    with repeating("tests", turn, 0.0):
        assert enough.wait(5)
    assert set(names) == {"tests"}
    assert not any(one.name == "tests" for one in threading.enumerate())


def test_what_waits_for_its_time_is_not_done_when_the_context_ends():
    done: list[str] = []

    def turn() -> float:
        done.append("done")
        return 60.0

    with repeating("tests", turn, 60.0):
        pass
    assert done == []
