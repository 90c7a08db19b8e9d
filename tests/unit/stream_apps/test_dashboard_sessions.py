"""Who is signed in, and for how long."""

import pytest

from schemas.errors import PermanentError
from stream_apps.dashboard.sessions import Sessions

NOW = 1_000_000.0
TOKEN = "a token of this test"


@pytest.fixture
def sessions() -> Sessions:
    return Sessions(TOKEN, session_seconds=3600, link_seconds=60)


def is_refused(check) -> bool:
    with pytest.raises(PermanentError) as caught:
        check()
    return caught.value.cause == "unauthorised" and "dragoman dashboard" in (caught.value.cure or "")


def test_a_link_counts_once(sessions):
    ticket = sessions.new_link(NOW)
    sessions.check_cookie(sessions.redeem(ticket, NOW + 59), NOW + 59)
    assert is_refused(lambda: sessions.redeem(ticket, NOW + 59))


def test_a_link_ends_after_its_time_and_an_unknown_one_never_counts(sessions):
    ticket = sessions.new_link(NOW)
    assert is_refused(lambda: sessions.redeem(ticket, NOW + 60))
    assert is_refused(lambda: sessions.redeem("", NOW))


def test_a_session_ends_after_its_time(sessions):
    cookie = sessions.new_cookie(NOW)
    sessions.check_cookie(cookie, NOW + 3599)
    assert is_refused(lambda: sessions.check_cookie(cookie, NOW + 3600))


def test_a_cookie_outlives_a_restart_and_ends_with_its_token(sessions):
    cookie = sessions.new_cookie(NOW)
    Sessions(TOKEN, 1, 1).check_cookie(cookie, NOW)
    assert is_refused(lambda: Sessions("another token", 1, 1).check_cookie(cookie, NOW))


@pytest.mark.parametrize("change", ["", ".", "..", "9999999999.00.00", "é", "9999999999"])
def test_what_we_did_not_sign_is_no_cookie(sessions, change):
    assert is_refused(lambda: sessions.check_cookie(change, NOW))


def test_a_cookie_whose_end_was_changed_is_none(sessions):
    end, nonce, signature = sessions.new_cookie(NOW).split(".")
    assert is_refused(lambda: sessions.check_cookie(f"{int(end) + 1}.{nonce}.{signature}", NOW))


def test_without_a_token_nobody_is_signed_in():
    sessions = Sessions("", 3600, 60)
    assert is_refused(lambda: sessions.check_cookie(sessions.new_cookie(NOW), NOW))


def test_links_that_nobody_uses_are_forgotten(sessions):
    first = sessions.new_link(NOW)
    for _ in range(1000):
        sessions.new_link(NOW)
    assert is_refused(lambda: sessions.redeem(first, NOW))
