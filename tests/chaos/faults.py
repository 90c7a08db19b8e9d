"""List the kinds of faults: what is done to which role, how often, for how long. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

SESSION_SECONDS = 6.0
"""Session timeout of the stack under chaos. A process frozen for longer wakes up as a zombie."""

_STORES = ("kafka", "redis-cache", "redis-state")


class Action(StrEnum):
    """What is done to a process or store."""

    KILL = "kill"
    TERM = "term"
    FREEZE = "freeze"
    FORGET = "forget"
    REFUSE = "refuse"
    FILL = "fill"
    SCALE = "scale"


@dataclass(frozen=True)
class FaultKind:
    """An action on a role. It may come again `rest_seconds` after its end; `lasts_seconds` is a range."""

    action: Action
    target: str
    weight: float
    rest_seconds: float
    lasts_seconds: tuple[float, float] = (0.0, 0.0)

    @property
    def name(self) -> str:
        """Return its name in the report."""
        return f"{self.action} {self.target}"

    @property
    def family(self) -> str:
        """Return its family. Kinds of one family never overlap: a store that cannot write must not be killed."""
        return self.target if self.target in _STORES else self.name


_FROZEN = (SESSION_SECONDS + 2.0, SESSION_SECONDS + 5.0)

KILLS = (
    FaultKind(Action.KILL, "worker", 5, 4.0),
    FaultKind(Action.KILL, "intake", 4, 6.0),
    FaultKind(Action.KILL, "assembly", 5, 4.0),
    FaultKind(Action.KILL, "extraction", 4, 4.0),
    FaultKind(Action.KILL, "merging", 4, 4.0),
    FaultKind(Action.KILL, "analytics", 3, 8.0),
    FaultKind(Action.KILL, "http", 2, 6.0),
    FaultKind(Action.KILL, "repair", 2, 8.0),
    FaultKind(Action.KILL, "autoscaler", 1, 8.0),
    FaultKind(Action.KILL, "kafka", 1, 40.0),
    FaultKind(Action.KILL, "redis-cache", 1, 10.0),
    FaultKind(Action.KILL, "redis-state", 2, 10.0),
)
DISTURBANCES = (
    FaultKind(Action.FREEZE, "worker", 4, 10.0, _FROZEN),
    FaultKind(Action.FREEZE, "intake", 4, 15.0, _FROZEN),
    FaultKind(Action.FREEZE, "assembly", 4, 10.0, _FROZEN),
    FaultKind(Action.FREEZE, "analytics", 2, 20.0, _FROZEN),
    FaultKind(Action.TERM, "kafka", 2, 40.0),
    FaultKind(Action.REFUSE, "clickhouse", 3, 10.0, (2.0, 6.0)),
    FaultKind(Action.FILL, "redis-state", 2, 15.0, (2.0, 4.0)),
    FaultKind(Action.FILL, "objects", 2, 15.0, (2.0, 5.0)),
    FaultKind(Action.FILL, "kafka", 1, 45.0, (2.0, 4.0)),
    FaultKind(Action.SCALE, "worker", 3, 10.0),
    FaultKind(Action.FORGET, "redis-state", 2, 20.0),
)

# The role that is hit when the target is no process of its own.
_HIT_ROLE = {"clickhouse": "analytics", "objects": "assembly"}


def kinds_for(roles: Collection[str], *, has_small_disks: bool) -> tuple[FaultKind, ...]:
    """Return every kind that can happen to a stack of these roles. Only small disks can be filled."""
    return tuple(
        kind
        for kind in (*KILLS, *DISTURBANCES)
        if hit_role(kind) in roles and (has_small_disks or kind.action is not Action.FILL)
    )


def hit_role(kind: FaultKind) -> str:
    """Return the role whose work shows whether the fault is over."""
    return _HIT_ROLE.get(kind.target, kind.target)
