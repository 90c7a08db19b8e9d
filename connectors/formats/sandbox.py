"""Read and write documents in processes of their own, which may fail without harm.

A parser is given bytes that strangers wrote. It runs in a forked child with bounds on memory, time, files and
output, in a session, a folder and (where the kernel allows it) a network of its own, without an environment.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog

from connectors.formats.protocol import Options
from connectors.formats.refusals import malformed, too_costly
from connectors.formats.registry import Extracted
from connectors.formats.sandbox_job import OUTPUT, SKELETON, UNITS, Job, extract_job, merge_job, read_extraction
from connectors.formats.settings import FormatSettings
from schemas.errors import PermanentError, TransientError

log = structlog.get_logger()

# The template imports the parsers first.
_START_SECONDS = 60.0
_COMMAND = (sys.executable, "-E", "-s", "-P", "-m", "connectors.formats.sandbox_template")
# A child that one of these ended is tried once more: the machine may have been short of memory or of time.
_TRIED_AGAIN = frozenset({"memory", "time", "crash"})


class Sandbox:
    """One template process, and one document at a time; not for several threads. Use as a context manager.

    Jobs get folders of their own in `folder`. `command` starts a template.
    """

    def __init__(
        self, settings: FormatSettings, folder: Path | None = None, command: Sequence[str] = _COMMAND
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._command = command
        self._template: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def extract(self, source: Path, name: str, media_type: str, options: Options) -> Extracted:
        """Recognise a file and find its units.

        Raises PermanentError: what the filters refuse, and `document_too_costly`; TransientError where no process
        can be started.
        """
        with tempfile.TemporaryDirectory(dir=self._folder) as name_of_folder:
            folder = Path(name_of_folder)
            job = extract_job(source.resolve(), name, media_type, self._bounded(options))
            told = self._done(job, folder)
            return read_extraction(folder, told)

    def merge(  # noqa: PLR0913, PLR0917 - the parameters of Filter.merge
        self, format_name: str, source: Path, skeleton: bytes, units: Sequence[str], output: Path, options: Options
    ) -> None:
        """Write the file with these texts to `output`. Raises as `extract` does."""
        with tempfile.TemporaryDirectory(dir=self._folder) as name_of_folder:
            folder = Path(name_of_folder)
            (folder / SKELETON).write_bytes(skeleton)
            (folder / UNITS).write_text(json.dumps(list(units)), "ascii")
            self._done(merge_job(source.resolve(), format_name, self._bounded(options)), folder)
            shutil.move(folder / OUTPUT, output)

    def close(self) -> None:
        """End the template, and with it a child that still runs."""
        if self._template is None:
            return
        for pipe in (self._template.stdin, self._template.stdout):
            # A template that was killed has not read its last order, and closing sends it again.
            with suppress(BrokenPipeError):
                if pipe:
                    pipe.close()
        try:
            self._template.wait(_START_SECONDS)
        except subprocess.TimeoutExpired:
            self._template.kill()
            self._template.wait()
        self._template = None

    def _bounded(self, options: Options) -> Options:
        return replace(options, limits=self._settings.limits())

    def _done(self, job: Job, folder: Path) -> Mapping[str, Any]:
        answer = self._ask(job, folder)
        if answer["end"] in _TRIED_AGAIN:
            log.warning("document_killed_a_process", end=answer["end"], signal=answer.get("signal"))
            answer = self._ask(job, folder)
        match answer["end"]:
            case "done":
                told: Mapping[str, Any] = answer["told"]
                return told
            case "refused":
                raise _refusal(answer["error"])
            case "failed":
                log.warning("filter_failed", at=answer["at"])
                raise malformed(f"the document cannot be read ({answer['at']})")
        raise self._too_costly(answer["end"])

    def _ask(self, job: Job, folder: Path) -> dict[str, Any]:
        bounds = self._settings.model_dump(include={"memory_mb", "cpu_seconds", "wall_seconds", "output_mb"})
        order = {"folder": str(folder.resolve()), "bounds": bounds, "job": job}
        template = self._running()
        try:
            assert template.stdin
            assert template.stdout
            template.stdin.write(json.dumps(order).encode() + b"\n")
            template.stdin.flush()
            line = template.stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            self.close()
            return {"end": "crash"}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._template and self._template.poll() is not None:
            self.close()
        if self._template is None:
            try:
                self._template = subprocess.Popen(
                    self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={}, start_new_session=True
                )
            except OSError as error:
                raise TransientError(f"no process for documents can be started: {error}") from error
        return self._template

    def _too_costly(self, end: str) -> PermanentError:
        bounds = self._settings
        told = {
            "memory": ("needs too much memory", f"{bounds.memory_mb} MB (DRAGOMAN_FORMATS_MEMORY_MB)"),
            "time": (
                "takes too much time",
                f"{bounds.wall_seconds:g} s, {bounds.cpu_seconds} s of a processor"
                " (DRAGOMAN_FORMATS_WALL_SECONDS, _CPU_SECONDS)",
            ),
            "size": ("becomes too large", f"{bounds.output_mb} MB (DRAGOMAN_FORMATS_OUTPUT_MB)"),
        }
        what, limit = told.get(end, ("ended two processes", "two processes"))
        return too_costly(f"the document {what}", limit)


def _refusal(error: Mapping[str, str | None]) -> PermanentError:
    cause, message = error["cause"] or "malformed_document", error["message"] or ""
    return PermanentError(cause, message, field=error["field"], limit=error["limit"], cure=error["cure"])
