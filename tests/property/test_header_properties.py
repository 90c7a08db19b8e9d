"""Whatever stands in a header, nothing is raised, and what says nothing sensible counts as none."""

from hypothesis import given
from hypothesis import strategies as st

from connectors.memory import InMemorySlots
from schemas.codec import Codec
from schemas.messages import TranslationResult
from schemas.records import (
    MOST_REVISIONS,
    InboundRecord,
    attempt_of,
    redrive_header,
    redriven_revision,
    revisions_up_to,
    told_version,
    version_header,
)
from schemas.slots import AnswerOrder, Verdict
from schemas.topics import RESULTS, TRANSLATED
from stream_apps.assembly.recovery import Rebuilder
from tests.keys import key, revision

CODEC = Codec()

# Numbers of any size and sign, digits without end, digits that only Unicode takes for some, and rubbish.
spoiled = (
    st.binary(max_size=40)
    | st.integers().map(lambda number: str(number).encode())
    | st.integers(0, 6_000).map(lambda count: b"9" * count)
    | st.text("\u00b2\u00b3\u2460\u0663\uff12 +-_.1", max_size=8).map(str.encode)
)
revisions = st.integers(1, MOST_REVISIONS)


@given(spoiled)
def test_any_header_is_a_sound_number_or_none(value):
    assert redriven_revision({"redrive": value}) in (None, *range(1, MOST_REVISIONS + 1))
    assert told_version({"version": value}) in (None, *range(1, MOST_REVISIONS + 1))
    assert attempt_of({"attempt": value}) >= 1


@given(revisions)
def test_what_we_write_we_read(number):
    assert redriven_revision(redrive_header(number)) == told_version(version_header(number)) == number


@given(st.integers())
def test_any_version_stands_for_the_first_answer_and_for_no_more_than_may_be(version):
    assert 1 <= len(revisions_up_to(version)) <= MOST_REVISIONS
    assert revisions_up_to(version)[0] == 1


@given(spoiled, st.integers(-(2**31), 2**31 - 1))
def test_a_request_stays_answered_whatever_the_version_of_its_result_says(header, version):
    slots = InMemorySlots()
    value = CODEC.encode(TranslationResult(request_id="a", version=version))
    result = InboundRecord(RESULTS, 0, 7, key("a").encode(), value, {"version": header}, 0)
    Rebuilder(slots, CODEC, show_after_ms=lambda: 1).restore([result])
    (decision,) = slots.decide([AnswerOrder(revision("a", 1), f"{TRANSLATED}-0-1")])
    assert decision.verdict is Verdict.ANSWERED
