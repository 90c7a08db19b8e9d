"""What a line passes of its request becomes the same fields everywhere."""

import pytest
from structlog.contextvars import get_contextvars

from connectors.telemetry.log_fields import about, from_process, name_request
from schemas.ids import JobKey
from schemas.records import InboundRecord

TRACE = "0af7651916cd43dd8448eb211c80319c"
HEADERS = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01".encode()}
RECORD = InboundRecord("topic", 2, 7, b"k", b"v", HEADERS)


def named(**line):
    return dict(name_request(None, "info", {"event": "e", **line}))


@pytest.mark.parametrize(
    ("passed", "written"),
    [
        ({"job": JobKey("acme", "r1")}, {"tenant": "acme", "request_id": "r1"}),
        ({"record": RECORD}, {"record": "topic-2-7", "trace_id": TRACE}),
        ({"trace": HEADERS}, {"trace_id": TRACE}),
        ({"trace": {"traceparent": b"00-1-2-01"}}, {}),
        ({"job": None, "trace": {}}, {}),
        ({"record": "topic-2-7"}, {"record": "topic-2-7"}),
        ({"tenant": "acme", "error": "away"}, {"tenant": "acme", "error": "away"}),
    ],
    ids=str,
)
def test_fields(passed, written):
    assert named(**passed) == {"event": "e", **written}


def test_every_line_names_its_process():
    assert from_process("intake", "intake-1")(None, "info", {"event": "e"}) == {
        "event": "e",
        "process": "intake",
        "instance": "intake-1",
    }


def test_lines_inside_are_about_a_request_and_those_behind_are_not():
    before = get_contextvars()
    with about(JobKey("acme", "r1"), HEADERS):
        assert get_contextvars() == before | {"tenant": "acme", "request_id": "r1", "trace_id": TRACE}
    with about(JobKey("acme", "r1")):
        assert "trace_id" not in get_contextvars()
    assert get_contextvars() == before
