"""Which files a command translates, and where their translations go. Asks no server."""

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from connectors.formats.bilingual.registry import BILINGUAL
from producers.cli.errors import UsageError
from schemas.documents import translated_file_name

# What is not written as it was read (connectors/formats/registry.py, `written_as`).
_WRITTEN_AS = {".pdf": ".docx"}


@dataclass(frozen=True)
class DocumentFile:
    """A file, and the one that its translation becomes."""

    source: Path
    output: Path
    beside: Path | None = None

    @property
    def is_done(self) -> bool:
        """Tell whether there is a translation that is not older than the file, and the bilingual file, if any."""
        return all(map(self._is_new, filter(None, (self.output, self.beside))))

    def _is_new(self, path: Path) -> bool:
        return path.exists() and path.stat().st_mtime >= self.source.stat().st_mtime


def document_files(
    named: Sequence[str], target: str, output: Path | None, bilingual: str | None = None
) -> list[DocumentFile]:
    """Find the files: those named, those that a pattern matches, and those in folders, with what is below them.

    In folders and patterns, hidden files and translations of other files are left out. `output` is the folder
    for translations; None: beside their files. `bilingual` names the kind of file with both languages that is
    wanted as well. Raises UsageError for a name that is nothing, and for two files that would become one.
    """
    found = [
        DocumentFile(source, to, _beside(source, to, target, bilingual))
        for name in named
        for source, to in _found(name, target, output)
    ]
    if not found:
        raise UsageError("there is no file to translate", "name files, folders, or patterns such as '*.docx'")
    return _distinct(found)


def _distinct(files: Sequence[DocumentFile]) -> list[DocumentFile]:
    """Return each file once. Raises UsageError where a file would be overwritten by the translation of another."""
    written: dict[Path, DocumentFile] = {}
    for one in files:
        for path in filter(None, (one.output, one.beside)):
            other = written.setdefault(path.absolute(), one)
            if not other.source.samefile(one.source):
                raise UsageError(
                    f"{other.source} and {one.source} would both become {path}",
                    "translate them one by one, each with an --output of its own",
                )
    return list(dict.fromkeys(written.values()))


def _found(name: str, target: str, output: Path | None) -> Iterator[tuple[Path, Path]]:
    path = Path(name)
    if path.is_file():
        yield path, _output(path, path.parent, target, output)
    elif path.is_dir():
        for one in sorted(_below(path, output)):
            if one.is_file() and not _is_hidden(one.relative_to(path)) and not _is_translation(one, target):
                yield one, _output(one, path, target, output)
    else:
        matches = [Path(one) for one in sorted(glob.glob(name, recursive=True))]  # from any folder
        if not matches:
            raise UsageError(f"{name} does not exist", "name a file, a folder, or a pattern in quotes")
        for one in matches:
            if one.is_file() and not _is_translation(one, target):
                yield one, _output(one, one.parent, target, output)


def _below(path: Path, output: Path | None) -> Iterator[Path]:
    """Return what is below a folder, without the folder for translations where that is inside."""
    folder, translations = path.resolve(), (output or path).resolve()
    if translations == folder or not translations.is_relative_to(folder):
        return path.rglob("*")
    return (one for one in path.rglob("*") if not one.resolve().is_relative_to(translations))


def _output(path: Path, below: Path, target: str, output: Path | None) -> Path:
    name = Path(translated_file_name(path.name, target))
    name = name.with_suffix(_WRITTEN_AS.get(name.suffix.lower(), name.suffix))
    folder = path.parent if output is None else output / path.parent.relative_to(below)
    return folder / name


def _beside(source: Path, output: Path, target: str, bilingual: str | None) -> Path | None:
    """Name the bilingual file after its document with its ending: two formats of one name are two files."""
    if bilingual is None:
        return None
    return output.with_name(f"{source.name}.{target}.{BILINGUAL[bilingual].ending}")


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _is_translation(path: Path, target: str) -> bool:
    suffix = f".{target}{path.suffix}"
    if not path.name.endswith(suffix):
        return False
    # `report.pt.docx` is that of report.docx, `report.docx.pt.xlf` a bilingual file of it.
    source = path.name.removesuffix(suffix)
    return path.with_name(source + path.suffix).exists() or path.with_name(source).is_file()
