"""Intake as a Faust application: one agent for each request topic, each with a buffer of its own.

So a flood of standard requests never stands before a critical one.
"""

from connectors.dead_letters.writer import open_letters
from connectors.faust.guard import Step
from connectors.faust.process import FaustProcess, Identity
from schemas.priorities import Priority
from schemas.topics import INTAKE_GROUP, requests_topic
from stream_apps.intake.handler import IntakeHandler
from stream_apps.intake.outputs import Wire
from stream_apps.intake.settings import IntakeSettings

GROUP = INTAKE_GROUP


def build_process(settings: IntakeSettings, handler: IntakeHandler, wire: Wire) -> FaustProcess:
    """The application, not yet connected."""
    process = FaustProcess(Identity(GROUP, settings.instance), settings.kafka, settings.faust)
    letters = open_letters(GROUP, wire.codec, settings.dead_letters, wire.max_message_bytes)
    step = Step(letters, handler.handle, handler.delivered, handler.refused)
    process.consume([requests_topic(priority) for priority in Priority], step)
    return process
