"""Intake as a Faust application: one agent for each request topic, each with a buffer of its own.

So a flood of standard requests never stands before a critical one.
"""

from connectors.dead_letters.writer import open_dead_letters
from connectors.faust.guard import EventHandler
from connectors.faust.process import FaustProcess, GroupMember
from schemas.priorities import Priority
from schemas.topics import INTAKE_GROUP, requests_topic
from stream_apps.intake.handler import IntakeHandler
from stream_apps.intake.outputs import WireFormat
from stream_apps.intake.settings import IntakeSettings

GROUP = INTAKE_GROUP


def build_process(settings: IntakeSettings, handler: IntakeHandler, wire: WireFormat) -> FaustProcess:
    """The application, not yet connected."""
    process = FaustProcess(GroupMember(GROUP, settings.instance), settings.kafka, settings.faust)
    letters = open_dead_letters(GROUP, wire.codec, settings.dead_letters, wire.max_message_bytes)
    step = EventHandler(letters, handler.handle, handler.delivered, handler.refused)
    process.consume([requests_topic(priority) for priority in Priority], step)
    return process
