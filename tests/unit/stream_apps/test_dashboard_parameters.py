"""What a browser may ask of a panel, and what is refused by name."""

import pytest

from schemas.errors import PermanentError
from stream_apps.dashboard.parameters import STEPS, Question, question_of
from stream_apps.dashboard.settings import DashboardSection
from stream_apps.dashboard.sources import Reading

# 2026-01-31 08:20:30 UTC.
NOW = 1_769_847_630.0
LIMITS = DashboardSection()
INJECTIONS = [
    "' OR 1 = 1 --",
    "'; DROP TABLE usage_events; --",
    "\\' OR 1 = 1 --",
    "x') UNION ALL SELECT * FROM file('/etc/passwd', 'LineAsString') --",
    "{tenant:String}",
    "{since:UInt32}",
    "$usage",
    "$(id)",
    "`usage_events`",
    '" OR "" = "',
    "/* x */",
    "-- x",
    "<script>alert(1)</script>",
    "%27%20OR%201%3D1",
    "\N{MODIFIER LETTER APOSTROPHE} OR 1=1",
    "1 SETTINGS readonly = 0",
    "INTO OUTFILE '/tmp/x'",
    "FORMAT Null",
    "../../etc/passwd",
    "=cmd|' /C calc'!A0",
]
NAMES = ["from", "to", "step", "tenant", "pair", "priority", "model", "order", "state", "compare", "format"]


def asked(**given: str) -> Question:
    renamed = {"since": "from", "until": "to"}
    return question_of([(renamed.get(name, name), value) for name, value in given.items()], NOW, LIMITS)


def refused(given: list[tuple[str, str]], limits: DashboardSection = LIMITS) -> PermanentError:
    with pytest.raises(PermanentError) as caught:
        question_of(given, NOW, limits)
    return caught.value


def test_without_a_wish_the_last_day_is_shown_in_quarters_of_an_hour():
    found = asked()
    assert (found.until, found.step) == (1_769_847_630, 900)
    assert found.until - 86_400 - found.since == found.since % -900 + (found.until - 86_400) % 900
    assert (found.tenant, found.is_compared, found.is_csv) == ("", False, False)


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("now-2h", 1_769_840_430),
        ("1769840430", 1_769_840_430),
        ("2026-01-31T06:20:30Z", 1_769_840_430),
        ("2026-01-31T07:20:30+01:00", 1_769_840_430),
        ("2026-01-31T06:20:30", 1_769_840_430),
        ("2026-01-31", 1_769_817_600),
    ],
)
def test_times_are_relative_seconds_or_iso(typed, seconds):
    assert asked(since=typed).since == seconds - seconds % asked(since=typed).step


@pytest.mark.parametrize("hours", [1, 3, 24, 100, 24 * 7, 24 * 30, 24 * 399])
def test_a_chart_begins_with_a_whole_step_and_has_few_of_them(hours):
    found = asked(since=f"now-{hours}h")
    assert found.since % found.step == 0
    assert found.step in STEPS
    assert (found.until - found.since) / found.step <= 172


def test_the_period_before_is_as_long_and_has_the_same_steps():
    for hours in (1, 5, 24, 24 * 7, 24 * 30):
        now = asked(since=f"now-{hours}h", compare="previous")
        before = now.before
        assert before.until - before.since == now.until - now.since
        assert (now.since - before.since) % now.step == 0
        assert 0 <= before.until - now.since + now.step < 2 * now.step


def test_whole_hours_and_days_come_from_rollups_and_the_edges_from_raw_rows():
    live, cut = asked(since="now-7d"), asked(since="now-7d", until="1769847629")
    # What there is of the hour that is not over is in the rollup too.
    assert (live.reading, live.bound(10)["hours_until"]) == (Reading.ROLLUP, 1_769_850_000)
    assert (cut.reading, live.before.reading) == (Reading.BOTH, Reading.BOTH)
    assert asked(since="now-20h").reading is Reading.RAW
    long = cut.bound(10)
    assert long["hours_since"] == long["since"]
    assert long["hours_until"] == 1_769_846_400
    assert (long["days_since"], long["days_until"]) == (1_769_299_200, 1_769_817_600)
    short = asked(since="now-20h", step="900").bound(10)
    assert short["hours_since"] == short["hours_until"] == short["until"]
    assert short["days_since"] == short["days_until"] == short["until"]


@pytest.mark.parametrize("field", NAMES)
@pytest.mark.parametrize("value", INJECTIONS)
def test_an_injection_is_refused_by_name_or_stays_a_value(field, value):
    if field in ("tenant", "model"):
        assert question_of([(field, value)], NOW, LIMITS).bound(1)[field] == value
    else:
        error = refused([(field, value)])
        assert (error.cause, error.field) == ("bad_parameter", field)
        assert error.cure


@pytest.mark.parametrize(
    ("given", "field", "limit"),
    [
        ([("tenat", "acme")], "tenat", None),
        ([("tenant", "a"), ("tenant", "b")], "tenant", None),
        ([("from", "now"), ("to", "now-1h")], "from", "60 s at least"),
        ([("from", "now-10s")], "from", "60 s at least"),
        ([("from", "now-500d")], "from", "400 days"),
        ([("from", "0"), ("to", "100")], "to", "1970 until tomorrow"),
        ([("to", "99999999999")], "from", "400 days"),
        ([("from", "1800000000"), ("to", "1800003600")], "to", "1970 until tomorrow"),
        ([("from", "x" * 100)], "from", "40 characters"),
        ([("from", "9" * 39)], "from", "60 s at least"),
        ([("from", "now-999999w")], "from", "400 days"),
        ([("from", "0001-01-01T00:00+14:00")], "from", "400 days"),
        ([("step", "7")], "step", ", ".join(map(str, STEPS))),
        ([("step", "60"), ("from", "now-30d")], "step", "800 steps"),
        ([("tenant", "a" * 201)], "tenant", "200 printable characters"),
        ([("model", "a\x00b")], "model", "200 printable characters"),
        ([("pair", "en")], "pair", None),
        ([("priority", "urgent")], "priority", "critical, high, standard"),
        ([("order", "x")], "order", "total, queue, words"),
        ([("state", "x")], "state", "failed, late"),
        ([("compare", "x")], "compare", "previous"),
        ([("format", "xml")], "format", "json, csv"),
    ],
)
def test_bad_input_names_the_field_the_limit_and_the_cure(given, field, limit):
    error = refused(given)
    assert (error.cause, error.field, error.limit) == ("bad_parameter", field, limit)
    assert error.cure


def test_the_limits_are_settings():
    assert refused([("from", "now-3d")], DashboardSection(max_range_days=2)).limit == "2 days"
    assert refused([("step", "900")], DashboardSection(max_points=50)).limit == "50 steps"
