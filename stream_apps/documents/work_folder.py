"""A folder of this machine in which a process works on files, and leaves nothing even where it is killed."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir

from schemas.errors import FatalError
from schemas.ids import fingerprint


@contextmanager
def open_work_folder(parent: str, stage: str, instance: str) -> Iterator[Path]:
    """Give an empty folder that only this user can read; it is removed at the end.

    What a killed process of the same name left there is removed first: it may hold documents of customers. A
    `parent` that is empty is the system's temporary folder. Raises FatalError where there can be no such folder.
    """
    folder = Path(parent or gettempdir()) / f"dragoman-{stage}-{fingerprint(instance.encode())}"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise FatalError(f"{folder} cannot be made anew, see DRAGOMAN_DOCUMENTS_FOLDER: {error}") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
