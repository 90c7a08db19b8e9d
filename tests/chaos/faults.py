"""Which faults there are: what is done to whom, how often, for how long. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

SESSION_SECONDS = 6.0
"""Session timeout of the stack under chaos. Who is frozen for longer wakes up as a zombie."""

_STORES = ("kafka", "redis-cache", "redis-state")


class Action(StrEnum):
    """What is done."""

    KILL = "kill"
    TERM = "term"
    FREEZE = "freeze"
    FORGET = "forget"
    REFUSE = "refuse"
    FILL = "fill"
    SCALE = "scale"


@dataclass(frozen=True)
class Kind:
    """An action on a role. `rest_seconds` after its end it may come again; `lasts_seconds` from, to."""

    action: Action
    target: str
    weight: float
    rest_seconds: float
    lasts_seconds: tuple[float, float] = (0.0, 0.0)

    @property
    def name(self) -> str:
        """As in the report."""
        return f"{self.action} {self.target}"

    @property
    def family(self) -> str:
        """Kinds of one family never overlap: a store that cannot write may not lose its memory meanwhile."""
        return self.target if self.target in _STORES else self.name


_FROZEN = (SESSION_SECONDS + 2.0, SESSION_SECONDS + 5.0)

KILLS = (
    Kind(Action.KILL, "worker", 5, 4.0),
    Kind(Action.KILL, "intake", 4, 6.0),
    Kind(Action.KILL, "assembly", 5, 4.0),
    Kind(Action.KILL, "status", 2, 8.0),
    Kind(Action.KILL, "analytics", 3, 8.0),
    Kind(Action.KILL, "http", 2, 6.0),
    Kind(Action.KILL, "repair", 2, 8.0),
    Kind(Action.KILL, "autoscaler", 1, 8.0),
    Kind(Action.KILL, "kafka", 1, 40.0),
    Kind(Action.KILL, "redis-cache", 1, 10.0),
    Kind(Action.KILL, "redis-state", 2, 10.0),
)
DISTURBANCES = (
    Kind(Action.FREEZE, "worker", 4, 10.0, _FROZEN),
    Kind(Action.FREEZE, "intake", 4, 15.0, _FROZEN),
    Kind(Action.FREEZE, "assembly", 4, 10.0, _FROZEN),
    Kind(Action.FREEZE, "status", 2, 20.0, _FROZEN),
    Kind(Action.FREEZE, "analytics", 2, 20.0, _FROZEN),
    Kind(Action.TERM, "kafka", 2, 40.0),
    Kind(Action.REFUSE, "clickhouse", 3, 10.0, (2.0, 6.0)),
    Kind(Action.FILL, "redis-state", 2, 15.0, (2.0, 4.0)),
    Kind(Action.FILL, "objects", 2, 15.0, (2.0, 5.0)),
    Kind(Action.FILL, "kafka", 1, 45.0, (2.0, 4.0)),
    Kind(Action.SCALE, "worker", 3, 10.0),
    Kind(Action.FORGET, "redis-state", 2, 20.0),
)

# What is hit where the target is no process of its own.
_HIT_ROLE = {"clickhouse": "analytics", "objects": "assembly"}


def kinds_for(roles: Collection[str], *, has_small_disks: bool) -> tuple[Kind, ...]:
    """Every kind that can happen to a stack of these roles. Disks can be filled only where they are small."""
    return tuple(
        kind
        for kind in (*KILLS, *DISTURBANCES)
        if hit_role(kind) in roles and (has_small_disks or kind.action is not Action.FILL)
    )


def hit_role(kind: Kind) -> str:
    """Whose work shows whether the fault is over."""
    return _HIT_ROLE.get(kind.target, kind.target)
