"""The intake process: opens Kafka, Redis and the object store, and reads each request topic with its own agent."""

from dataclasses import replace

from connectors.redis.client import open_state_async
from connectors.redis.spending import AsyncRedisSpending
from connectors.tracing.opening import tracing
from connectors.tracing.spans import Tracer
from schemas.priorities import Priority
from schemas.topics import ASSEMBLY_GROUP, INTAKE_GROUP, TRANSLATED, request_topics
from stream_apps.accounts.budgets import MeasuredBudgets
from stream_apps.intake.handler import IntakeHandler
from stream_apps.intake.outputs import AssemblyRoom
from stream_apps.intake.parts import build_cutter, build_stores, build_wire
from stream_apps.intake.settings import IntakeSettings
from stream_apps.runtime.dead_letters import open_dead_letters
from stream_apps.runtime.event_process import EventProcess, GroupMember
from stream_apps.runtime.event_processor import EventHandler
from stream_apps.runtime.process import Process, now_ms, run_process
from stream_apps.runtime.stage_spans import StageSpans
from stream_apps.runtime.state_watch import on_sound_state
from stream_apps.runtime.traced_events import traced

GROUP = INTAKE_GROUP
STAGE = "intake"


def main() -> None:
    """Run intake until SIGTERM."""
    run_process(GROUP, IntakeSettings, on_sound_state(run))


def run(settings: IntakeSettings, process: Process) -> None:
    """Give each request topic an agent, so that a flood of standard requests never delays a critical one."""
    with tracing(settings.tracing, STAGE, settings.instance) as tracer:
        take_requests(settings, process, tracer)


def take_requests(settings: IntakeSettings, process: Process, tracer: Tracer) -> None:
    """Take requests until SIGTERM, and raise SystemExit then."""
    wire = build_wire(settings)
    room = AssemblyRoom(settings.intake.early_backlog_records)
    spending = AsyncRedisSpending(open_state_async(settings.redis))
    budgets = MeasuredBudgets(spending, settings.budgets.read_seconds, now_ms)
    stores = replace(build_stores(settings), answers_early=room.answers_early, budgets=budgets)
    spans = StageSpans(STAGE, tracer, settings.tracing.open_spans)
    handler = IntakeHandler(build_cutter(settings, wire), stores, wire, spans)
    dead_letters = open_dead_letters(GROUP, wire.codec, settings.dead_letters, wire.max_message_bytes)
    events = EventProcess(GroupMember(GROUP, settings.instance), settings.kafka, settings.faust, process.health)
    topics = [request_topics(priority, settings.kafka.tenants) for priority in Priority]
    events.consume(
        topics, traced(EventHandler(dead_letters, handler.handle, handler.delivered, handler.refused), spans)
    )
    events.watch(ASSEMBLY_GROUP, [TRANSLATED], room.measured)
    process.started()
    events.run()


if __name__ == "__main__":
    main()
