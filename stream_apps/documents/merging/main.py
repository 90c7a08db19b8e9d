"""The merging process: an assembler whose answers are files."""

from connectors.formats.sandbox import Sandbox
from connectors.object_files import open_files
from schemas.topics import MERGING_GROUP, TRANSLATED_DOCUMENTS
from stream_apps.assembly.main import Assembler, assemble
from stream_apps.documents.merging.finishing import STAGE, DocumentMerger
from stream_apps.documents.settings import MergingSettings
from stream_apps.documents.storage import DocumentStore
from stream_apps.documents.work_folder import open_work_folder
from stream_apps.runtime.process import Process, run_process
from stream_apps.runtime.state_watch import on_sound_state


def main() -> None:
    """Run merging until SIGTERM."""
    run_process(STAGE, MergingSettings, on_sound_state(run))


def run(settings: MergingSettings, process: Process) -> None:
    """Answer requests for documents, one Kafka transaction a cycle; files are merged before it begins."""
    limits = settings.documents
    with (
        open_work_folder(limits.folder, STAGE, settings.instance) as folder,
        # It starts its template with the first document.
        Sandbox(settings.formats, folder) as formats,
    ):
        store = DocumentStore(open_files(settings.objects), limits.max_bytes, folder)
        merger = DocumentMerger(store, formats)
        assemble(settings, process, Assembler(STAGE, MERGING_GROUP, [TRANSLATED_DOCUMENTS], merger.finish))


if __name__ == "__main__":
    main()
