"""What an operator chooses: bounds, service levels, and how much to hold in reserve."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.priorities import SLA_SECONDS, Priority


@dataclass(frozen=True)
class Policy:
    """Times in seconds, shares from 0 to 1."""

    min_replicas: int
    max_replicas: int
    sla_seconds: Mapping[Priority, float] = field(default_factory=lambda: dict(SLA_SECONDS))
    sla_share: float = 0.8
    service_floor_seconds: float = 5.0
    utilisation: float = 0.75
    scale_in_utilisation: float = 0.8
    shortest_horizon_seconds: float = 15.0
    scale_in_window_seconds: float = 300.0
    scale_in_pause_seconds: float = 60.0

    def __post_init__(self) -> None:
        if not 0 <= self.min_replicas <= self.max_replicas:
            raise ValueError(f"replicas: 0 <= {self.min_replicas} <= {self.max_replicas} is not true")

    def deadline_seconds(self, priority: Priority) -> float:
        """The age at which a word should be translated: the SLA less safety and the time of the other stages."""
        usable = self.sla_seconds[priority] * self.sla_share - self.service_floor_seconds
        return max(usable, self.shortest_horizon_seconds)

    def within_bounds(self, replicas: int) -> int:
        """The nearest number that is allowed."""
        return min(max(replicas, self.min_replicas), self.max_replicas)
