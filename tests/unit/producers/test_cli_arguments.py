"""Times as people type them: how long ago, or ISO 8601."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.cli.arguments import parse_time_ms
from producers.cli.errors import UsageError

NOW = 1_700_000_000_000


@pytest.mark.parametrize(
    ("typed", "seconds_ago"),
    [
        *(("0s", 0), ("90s", 90), ("30m", 1800), ("2h", 7200), ("1.5h", 5400), ("7d", 604_800), ("2w", 1_209_600)),
        *(("0.5w", 302_400), (" 1h ", 3600)),
    ],
)
def test_a_number_with_a_unit_counts_back_from_now(typed, seconds_ago):
    assert parse_time_ms(typed, "--since", NOW) == NOW - seconds_ago * 1000


@pytest.mark.parametrize(
    "typed", ["2023-11-14T22:13:20", "2023-11-14T22:13:20Z", "2023-11-14T23:13:20+01:00", "2023-11-14 22:13:20"]
)
def test_iso_8601_without_a_zone_is_utc(typed):
    assert parse_time_ms(typed, "--since", 0) == NOW


@pytest.mark.parametrize(
    "typed", ["", "yesterday", "2 hours", "1h30m", "-2h", "1.h", "١h", "99999999d", "2023-13-01", "x" * 1000]
)
def test_anything_else_is_wrong_usage_that_names_the_option_and_the_cure(typed):
    with pytest.raises(UsageError, match=r"^--since is .* is no time; give .*1\.5h.*2026-01-31") as caught:
        parse_time_ms(typed, "--since", NOW)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("typed", ["9999w", "1960-01-01", "0001-01-01T00:00+14:00"])
def test_no_time_is_before_the_epoch(typed):
    assert parse_time_ms(typed, "--since", NOW) == 0


@given(st.decimals(0, 10_000, places=3), st.sampled_from("smhdw"))
def test_every_number_of_every_unit_counts_back(number, unit):
    seconds = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}[unit]
    expected = max(NOW - round(number * seconds * 1000), 0)
    assert abs(parse_time_ms(f"{number}{unit}", "--since", NOW) - expected) <= 1


@given(st.datetimes(datetime(1970, 1, 2), timezones=st.timezones()))
def test_every_time_survives_being_written_in_iso_8601(at):
    assert abs(parse_time_ms(at.isoformat(), "--since", NOW) - at.timestamp() * 1000) <= 0.5


@given(st.text(max_size=30))
def test_whatever_is_typed_is_a_time_or_wrong_usage(typed):
    with suppress(UsageError):
        assert 0 <= parse_time_ms(typed, "--until", NOW) <= datetime.max.replace(tzinfo=UTC).timestamp() * 1000
