from hypothesis import given
from hypothesis import strategies as st

from schemas.plans import RequestPlan
from schemas.records import StoredAt

PLANS = st.builds(
    RequestPlan,
    fingerprint=st.text(max_size=40),
    source_language=st.text(max_size=8),
    batches=st.integers(0, 10**5),
    deadline=st.none() | st.integers(0, 10**14),
    last_batch=st.none() | st.builds(StoredAt, st.integers(0, 99), st.integers(0, 2**60)),
)


@given(PLANS)
def test_a_plan_comes_back_as_it_was_written(plan):
    assert RequestPlan.decode(plan.encode()) == plan


def test_what_has_its_default_takes_no_room():
    assert RequestPlan().encode() == b"{}"


def test_what_a_newer_version_notes_is_left_out():
    assert RequestPlan.decode(b'{"batches": 3, "colour": "red"}') == RequestPlan(batches=3)
