"""What the autoscaler shows of itself: its metrics."""

from connectors.telemetry import metrics
from deploy.autoscaler.decision import ScalingDecision
from deploy.autoscaler.snapshot import Snapshot


def publish(pool: str, snapshot: Snapshot, decision: ScalingDecision, asked: int) -> None:
    """After a turn that measured."""
    for state, replicas in (("ready", snapshot.ready), ("asked", asked)):
        metrics.AUTOSCALER_REPLICAS.labels(pool, state).set(replicas)
    for priority, waiting in snapshot.waiting.items():
        metrics.AUTOSCALER_BACKLOG_WORDS.labels(pool, priority).set(waiting.backlog_words)
        metrics.AUTOSCALER_OLDEST_SECONDS.labels(pool, priority).set(waiting.oldest_seconds)
        metrics.AUTOSCALER_ARRIVING_WORDS_PER_SECOND.labels(pool, priority).set(waiting.words_per_second)
    metrics.AUTOSCALER_REPLICA_WORDS_PER_SECOND.labels(pool).set(snapshot.replica_words_per_second)
    publish_decision(pool, decision)
    for priority in decision.out_of_reach:
        metrics.AUTOSCALER_OUT_OF_REACH.labels(pool, priority).inc()


def publish_decision(pool: str, decision: ScalingDecision) -> None:
    """After every turn."""
    metrics.AUTOSCALER_REPLICAS.labels(pool, "wanted").set(decision.replicas)
    metrics.AUTOSCALER_DECISIONS.labels(pool, decision.reason).inc()
