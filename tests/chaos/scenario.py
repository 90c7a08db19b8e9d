"""Derive the texts, requests and faults of one run from its seed. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.chaos.texts import probe_text, texts
from tests.chaos.traffic import TENANTS, References, Send, traffic

DEFAULT_PACE_SECONDS = 2.5

_FEWEST_TEXTS, _MOST_TEXTS = 40, 300
_REQUESTS_PER_TEXT = 4
# A text of 2,000 sentences takes the stack half a minute, too long for a short run.
_LONG_RUN_REQUESTS, _LONGEST, _LONGEST_IN_A_SHORT_RUN = 1000, 2000, 150
# About 150 sentences: a fraction of the 30 s that a critical request may take.
_SHORT_CHARACTERS = 15_000


@dataclass(frozen=True)
class Scenario:
    """The parameters of a run. `control`: what is broken on purpose, or empty. `root` is emptied before the run.

    A kill comes every `pace_seconds` on average. `recovery_limit_seconds`: upper bound of the 95th percentile of
    each kind of fault; None: no limit.
    """

    kills: int
    requests: int
    seed: int
    control: str
    root: Path
    recovery_limit_seconds: float | None = None
    pace_seconds: float = DEFAULT_PACE_SECONDS

    @property
    def seconds(self) -> float:
        """Return how long faults and requests come."""
        return self.kills * self.pace_seconds

    @cached_property
    def texts(self) -> dict[str, str]:
        """Return the texts by name."""
        count = min(max(self.requests // _REQUESTS_PER_TEXT, _FEWEST_TEXTS), _MOST_TEXTS)
        longest = _LONGEST if self.requests >= _LONG_RUN_REQUESTS else _LONGEST_IN_A_SHORT_RUN
        return {f"text-{number:03}": text for number, text in enumerate(texts(self.seed, count, longest))}

    @cached_property
    def sends(self) -> list[Send]:
        """Return what is sent, by time."""
        short = [name for name, text in self.texts.items() if len(text) <= _SHORT_CHARACTERS]
        long = [name for name, text in self.texts.items() if len(text) > _SHORT_CHARACTERS]
        return traffic(self.seed, self.requests, References(short, long), self.seconds)


def probes(count: int) -> dict[str, str]:
    """Return the texts of that many probes, by name."""
    return {probe_name(number): probe_text(number) for number in range(count)}


def probe_name(number: int) -> str:
    """Return the name of the probe of the fault with that number."""
    return f"probe-{number:05}"


def write_texts(texts_by_name: Mapping[str, str], objects: Path) -> dict[tuple[str, str], str]:
    """Put the texts into the object store, for each tenant; return their references by tenant and name."""
    refs = {(tenant, name): f"tenants/{tenant}/inbox/{name}.txt" for tenant in TENANTS for name in texts_by_name}
    for (_, name), ref in refs.items():
        (objects / ref).parent.mkdir(parents=True, exist_ok=True)
        (objects / ref).write_text(texts_by_name[name], "utf-8")
    return refs
