"""Estimates of cost: each worked out by hand, and refusals that name the cure."""

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from deploy.cost.estimate import Fleet, Volume, cost_of_machines, price_of_words
from producers.cli.main import app
from schemas.errors import PermanentError
from stream_apps.usage_sink.prices import EXAMPLE_PRICES, EXAMPLE_VOLUME_PRICES

PRICES = {"t4/on_demand": 0.5, "t4/spot": 0.1, "t4/reserved": 0.3}


def test_a_hundred_thousand_words_a_day_of_which_forty_percent_are_remembered_cost_684():
    found = price_of_words(Volume(100_000, Decimal("0.4")), EXAMPLE_VOLUME_PRICES)
    assert (found.total, found.words, found.tier) == (Decimal("684.00"), Decimal(1_800_000), 100_000)


@pytest.mark.parametrize(
    ("words", "tier"),
    [
        (0, 10_000),
        (10_000, 10_000),
        (10_001, 100_000),
        (100_000, 100_000),
        (1_000_000, 1_000_000),
        (5_000_000, 1_000_000),
    ],
)
def test_the_tier_is_the_smallest_that_holds_the_words_of_a_day(words, tier):
    assert price_of_words(Volume(words, Decimal("0.5")), EXAMPLE_VOLUME_PRICES).tier == tier


@settings(max_examples=25)
@given(words=st.integers(0, 10**9), share=st.decimals(0, 1, places=3))
def test_remembering_more_never_costs_more_and_remembering_all_costs_nothing(words, share):
    total = price_of_words(Volume(words, share), EXAMPLE_VOLUME_PRICES).total
    assert 0 <= total <= price_of_words(Volume(words, Decimal(0)), EXAMPLE_VOLUME_PRICES).total
    assert price_of_words(Volume(words, Decimal(1)), EXAMPLE_VOLUME_PRICES).total == 0


def test_machines_cost_their_paid_hours_at_the_mixed_price():
    # 2 machines for 16 h, 1 for 8 h: 40 h a day, 1,200 a month, at 0.2 * 0.3 + 0.5 * 0.1 + 0.3 * 0.5 = 0.26.
    fleet = Fleet("t4", Decimal(100), 2, 1, Decimal(8), Decimal("0.2"), Decimal("0.5"))
    found = cost_of_machines(Volume(3_600_000, Decimal("0.5")), fleet, PRICES)
    assert (found.machine_hours, found.price_per_hour, found.total) == (
        Decimal(1200),
        Decimal("0.26"),
        Decimal("312.00"),
    )
    # 1,800,000 new words at 100 a second are 5 h of 40.
    assert found.busy_share == Decimal("0.125")
    # 108 million words a month; 2 machines around the clock on demand are 1,440 h at 0.5.
    assert (found.per_million_words, found.always_on) == (Decimal("2.89"), Decimal("720.00"))


def test_a_fleet_that_cannot_do_the_work_is_refused_with_the_number_that_can():
    volume = Volume(3_600_000, Decimal(0))
    with pytest.raises(PermanentError, match=r"100\.0 hours of work") as raised:
        cost_of_machines(volume, Fleet("t4", Decimal(10), 2), PRICES)
    assert raised.value.cure == "give 5 replicas"
    assert cost_of_machines(volume, Fleet("t4", Decimal(10), 5), PRICES).busy_share < 1


def test_shares_above_one_and_missing_prices_are_refused():
    volume = Volume(1, Decimal(0))
    with pytest.raises(PermanentError, match="more than all machines"):
        cost_of_machines(
            volume, Fleet("t4", Decimal(10), 1, spot_share=Decimal("0.6"), reserved_share=Decimal("0.5")), PRICES
        )
    with pytest.raises(PermanentError, match="l4/on_demand has no price"):
        cost_of_machines(volume, Fleet("l4", Decimal(10), 1), PRICES)
    # All on spot: the reserved price is not asked for.
    only_spot = {"t4/spot": 0.1, "t4/on_demand": 0.5}
    assert cost_of_machines(volume, Fleet("t4", Decimal(10), 1, spot_share=Decimal(1)), only_spot).total == 72


def test_every_device_with_a_price_has_one_in_each_market():
    devices = {key.partition("/")[0] for key in EXAMPLE_PRICES}
    assert EXAMPLE_PRICES.keys() == {
        f"{one}/{market}" for one in devices for market in ("on_demand", "spot", "reserved")
    }


def test_the_command_prints_both_estimates_and_takes_prices_from_the_settings(monkeypatch):
    arguments = ["cost", "estimate", "--words", "100000", "--remembered", "0.4", "--json"]
    machines = ["--device", "l4", "--words-per-second", "100", "--replicas", "1"]
    monkeypatch.setenv("DRAGOMAN_ANALYTICS_PRICES", '{"l4/on_demand": 1}')
    monkeypatch.setenv("DRAGOMAN_ANALYTICS_VOLUME_PRICES", '{"1000000": 1}')
    found = json.loads(CliRunner().invoke(app, [*arguments, *machines]).stdout)
    assert found["words"]["total"] == 1800
    assert (found["machines"]["total"], found["machines"]["machine_hours"]) == (720, 720)


def test_the_command_says_684():
    ran = CliRunner().invoke(app, ["cost", "estimate", "--words", "100000", "--remembered", "0.4"])
    assert "30 days of words  684.00" in ran.stdout
