"""A process does not start before its topics are there."""

import pytest

from schemas.errors import FatalError, TransientError
from stream_apps.runtime.topic_presence import wait_for_topics


class Admin:
    """Answers with one problem less each time it is asked."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def check_topics(self):
        answer = self.answers.pop(0) if self.answers else []
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_a_process_waits_until_its_topics_are_there():
    pauses: list[float] = []
    wait_for_topics(Admin(TransientError("no broker"), ["in: 0 partitions"], []), 60, pauses.append)
    assert len(pauses) == 2


def test_a_process_without_its_topics_does_not_start():
    problem = ["translation.requests.high: 0 partitions, the catalogue says 6"]
    with pytest.raises(FatalError, match=r"translation\.requests\.high"):
        wait_for_topics(Admin(*[problem] * 10), 3, lambda _seconds: None)


def test_a_process_that_is_to_stop_waits_for_nothing():
    asked = Admin(["in: 0 partitions"])
    wait_for_topics(asked, 60, should_stop=lambda: True)
    assert len(asked.answers) == 1
