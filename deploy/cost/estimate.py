"""Estimate a month of 30 days: what a tenant pays for a volume of words, and what the machines for it cost. Pure.

Money is Decimal, in US dollars.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from schemas.errors import PermanentError

DAYS_PER_MONTH = 30
_HOURS_PER_DAY = 24
_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Volume:
    """Words a day, and the share of them, 0 to 1, that the translation memory knows."""

    words_per_day: int
    remembered_share: Decimal

    @property
    def new_words_per_day(self) -> Decimal:
        """Return the words that have to be translated."""
        return self.words_per_day * (1 - self.remembered_share)


@dataclass(frozen=True)
class WordsEstimate:
    """What a month of words is sold for. `tier`: the most words a day at this price."""

    words: Decimal
    tier: int
    price_per_thousand: Decimal
    total: Decimal


def price_of_words(volume: Volume, tiers: Mapping[int, float]) -> WordsEstimate:
    """Return 30 * words a day * (1 - remembered share) / 1000 * the price of the tier.

    The tier is the smallest that holds the words of a day, remembered ones included; above all of them the largest
    one's price counts. Raises PermanentError where there are no tiers.
    """
    if not tiers:
        raise PermanentError("no_price", "there are no tiers", cure="set DRAGOMAN_ANALYTICS_VOLUME_PRICES")
    tier = min((bound for bound in tiers if bound >= volume.words_per_day), default=max(tiers))
    price = _decimal(tiers[tier])
    words = DAYS_PER_MONTH * volume.new_words_per_day
    return WordsEstimate(words, tier, price, _cents(words / 1000 * price))


@dataclass(frozen=True)
class Fleet:
    """The machines: how fast one translates, how many there are, how long they rest, in which market they are.

    For `idle_hours` a day only `idle_replicas` run. What is neither reserved nor spot is on demand.
    """

    device: str
    words_per_second: Decimal
    replicas: int
    idle_replicas: int = 0
    idle_hours: Decimal = Decimal(0)
    reserved_share: Decimal = Decimal(0)
    spot_share: Decimal = Decimal(0)

    @property
    def hours_per_day(self) -> Decimal:
        """Return the machine hours of a day that are paid."""
        return self.replicas * (_HOURS_PER_DAY - self.idle_hours) + self.idle_replicas * self.idle_hours


@dataclass(frozen=True)
class MachinesEstimate:
    """What a month of machines costs. `busy_share`: of the paid hours, 0 to 1.

    `always_on`: the same machines without rest, on demand.
    """

    machine_hours: Decimal
    busy_share: Decimal
    price_per_hour: Decimal
    total: Decimal
    per_million_words: Decimal | None
    always_on: Decimal


def cost_of_machines(volume: Volume, fleet: Fleet, prices: Mapping[str, float]) -> MachinesEstimate:
    """Return the paid machine hours of a month times the mixed price of an hour.

    Raises PermanentError for shares above 1, a device without a price, and a fleet that cannot do the work.
    """
    _check_shares(fleet)
    work_hours = volume.new_words_per_day / fleet.words_per_second / 3600
    if work_hours > fleet.hours_per_day:
        raise _too_few(work_hours, fleet)
    price = _mixed_price(fleet, prices)
    hours = DAYS_PER_MONTH * fleet.hours_per_day
    all_hours = DAYS_PER_MONTH * _HOURS_PER_DAY * fleet.replicas
    words = DAYS_PER_MONTH * volume.words_per_day
    return MachinesEstimate(
        machine_hours=hours,
        busy_share=work_hours / fleet.hours_per_day if fleet.hours_per_day else Decimal(0),
        price_per_hour=price,
        total=_cents(hours * price),
        per_million_words=_cents(hours * price * 1_000_000 / words) if words else None,
        always_on=_cents(all_hours * _price(fleet.device, "on_demand", prices)),
    )


def _mixed_price(fleet: Fleet, prices: Mapping[str, float]) -> Decimal:
    shares = {"reserved": fleet.reserved_share, "spot": fleet.spot_share}
    shares["on_demand"] = 1 - sum(shares.values(), Decimal(0))
    # A market that nobody uses needs no price.
    parts = [share * _price(fleet.device, market, prices) for market, share in shares.items() if share]
    return sum(parts, Decimal(0))


def _price(device: str, market: str, prices: Mapping[str, float]) -> Decimal:
    key = f"{device}/{market}"
    if key not in prices:
        known = ", ".join(sorted(prices))
        raise PermanentError(
            "no_price", f"{key} has no price; known: {known}", cure="add it to DRAGOMAN_ANALYTICS_PRICES"
        )
    return _decimal(prices[key])


def _check_shares(fleet: Fleet) -> None:
    if fleet.reserved_share + fleet.spot_share > 1:
        raise PermanentError(
            "invalid_request",
            f"reserved {fleet.reserved_share} and spot {fleet.spot_share} are more than all machines",
            limit="1",
            cure="give shares whose sum is 1 at most",
        )


def _too_few(work_hours: Decimal, fleet: Fleet) -> PermanentError:
    rest = fleet.idle_replicas * fleet.idle_hours
    awake = _HOURS_PER_DAY - fleet.idle_hours
    cure = "rest for fewer hours" if awake <= 0 else f"give {math.ceil((work_hours - rest) / awake)} replicas"
    return PermanentError(
        "invalid_request",
        f"the words of a day are {work_hours:.1f} hours of work, the machines run for {fleet.hours_per_day:.1f}",
        cure=cure,
    )


def _decimal(number: float) -> Decimal:
    return Decimal(str(number))


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT)
