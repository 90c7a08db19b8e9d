"""Documents that are zip archives: what an archive may be, and a filter over its XML parts.

A part without changes keeps its content; the archive keeps the order, names and compression of its parts.
"""

import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePosixPath
from typing import BinaryIO, Protocol

from connectors.formats.merging import Change, Encode, Writer, spliced_utf8
from connectors.formats.protocol import Extraction, Limits, Options, Warned
from connectors.formats.refusals import archive_too_large, encrypted, malformed
from connectors.formats.sniffing import UNREADABLE
from connectors.formats.splicing import Again, Found, Skeleton, Stamp, extraction_of
from connectors.formats.xml_tree import XML_ENCODERS, XmlFile

_ENCRYPTED = 0x1
_KNOWN_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Package:
    """An archive that was found sound. Its parts are read one by one."""

    def __init__(self, source: BinaryIO, limits: Limits) -> None:
        try:
            self._archive = _opened(source)
        except UNREADABLE as error:
            raise malformed(f"the archive cannot be read: {error}") from error
        self._limits = limits
        self._check(self._archive.infolist())

    def names(self) -> list[str]:
        """List the parts in their order."""
        return self._archive.namelist()

    def read(self, name: str) -> bytes:
        """Return the content of a part. Raises PermanentError: `malformed_document`."""
        try:
            # Never more than the declared size, and a checksum behind it: so sizes that lie are found.
            return self._archive.read(name)
        except KeyError:
            raise malformed(f"the part {name} is missing") from None
        except UNREADABLE as error:
            raise malformed(f"the part {name} cannot be read: {type(error).__name__}") from error

    def verify(self) -> None:
        """Read every part once: a damaged one is found before anything is translated."""
        for name in self.names():
            self.read(name)

    def xml(self, name: str) -> XmlFile:
        """Read a part that is XML."""
        return XmlFile(self.read(name), self._limits.depth)

    def write(self, output: BinaryIO, replaced: dict[str, bytes]) -> None:
        """Write the archive with other contents of some parts."""
        with zipfile.ZipFile(output, "w") as archive:
            for info in self._archive.infolist():
                content = replaced.get(info.filename)
                copied = zipfile.ZipInfo(info.filename, info.date_time)
                for kept in ("compress_type", "external_attr", "create_system", "comment"):
                    setattr(copied, kept, getattr(info, kept))
                archive.writestr(copied, self.read(info.filename) if content is None else content)

    def _check(self, members: Sequence[zipfile.ZipInfo]) -> None:
        if len(members) > self._limits.members:
            raise archive_too_large(f"the archive has {len(members)} parts", f"{self._limits.members} parts")
        if len({member.filename for member in members}) < len(members):
            raise malformed("the archive has two parts of one name")
        unpacked = sum(member.file_size for member in members)
        if unpacked > self._limits.unpacked_bytes:
            raise archive_too_large(
                f"the archive unpacks to {unpacked} bytes", f"{self._limits.unpacked_bytes} bytes"
            )
        for member in members:
            self._check_member(member)

    def _check_member(self, member: zipfile.ZipInfo) -> None:
        if member.flag_bits & _ENCRYPTED:
            raise encrypted()
        path = PurePosixPath(member.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in member.filename or ":" in member.filename:
            raise malformed("the archive has a part whose name leads out of it")
        if member.compress_type not in _KNOWN_COMPRESSIONS:
            raise malformed("the archive is compressed in a way that documents are not")
        is_large = member.file_size > self._limits.ratio_above_bytes
        if is_large and member.file_size > self._limits.ratio * max(member.compress_size, 1):
            raise archive_too_large(
                f"the part {member.filename} is {member.file_size} bytes and packed {member.compress_size}",
                f"{self._limits.ratio} times",
            )


def _opened(source: BinaryIO) -> zipfile.ZipFile:
    try:
        # Many tools write names in UTF-8 and do not say so.
        return zipfile.ZipFile(source, metadata_encoding="utf-8")
    except UnicodeDecodeError:
        source.seek(0)
        return zipfile.ZipFile(source)


class Part(Protocol):
    """A part as UTF-8, which is what offsets count."""

    data: bytes

    def encoded(self, data: bytes, /) -> bytes:
        """Write UTF-8 as the part was encoded."""
        ...


@dataclass(frozen=True)
class PackageFilter:
    """A filter made of a function that finds the units of a package's parts, all of them XML.

    `tidy` takes out of a text that is written what the codes leave behind.
    """

    media_types: frozenset[str]
    version: str
    find: Callable[[Package, Options, list[Warned]], Iterable[Found | Stamp | Again]]
    encoder_of: Callable[[str], Encode] = XML_ENCODERS.__getitem__
    tidy: Callable[[str], str] = str
    open_part: Callable[[Package, str], Part] = Package.xml
    pages_of: Callable[[Package], int | None] = lambda _: None

    def extract(self, source: BinaryIO, options: Options) -> Extraction:
        package = Package(source, options.limits)
        package.verify()
        warnings: list[Warned] = []
        found = list(self.find(package, options, warnings))
        return extraction_of(found, options.limits, warnings=tuple(warnings), pages=self.pages_of(package))

    def merge(
        self, source: BinaryIO, skeleton: bytes, units: Sequence[str], output: BinaryIO, options: Options
    ) -> None:
        changes = Writer(self.encoder_of, spliced_utf8).changes(Skeleton.decoded(skeleton), units)
        if not changes:
            source.seek(0)
            output.write(source.read())
            return
        package = Package(source, options.limits)
        replaced = {part: self._written(package, part, of_part) for part, of_part in _by_part(changes).items()}
        # A zip file is written with seeks, which not every output has.
        written = BytesIO()
        package.write(written, replaced)
        output.write(written.getvalue())

    def _written(self, package: Package, part: str, changes: Sequence[Change]) -> bytes:
        file = self.open_part(package, part)
        tidied = [change._replace(text=self.tidy(change.text)) for change in changes]
        return file.encoded(spliced_utf8(file.data.decode(), tidied).encode())


def _by_part(changes: Iterable[Change]) -> dict[str, list[Change]]:
    parts: dict[str, list[Change]] = {}
    for change in changes:
        parts.setdefault(change.part, []).append(change)
    return parts
