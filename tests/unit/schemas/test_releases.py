"""Two releases in one platform: who can read whom during an upgrade (docs/upgrading.md)."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas import avro_schemas
from schemas.avro_schemas import Schema, WireSchema, by_fingerprint, current, int_fields, released, written
from schemas.codec import Codec, SchemaReference
from schemas.errors import DecodeError, FatalError
from schemas.messages import TranslationRequest

AVRO = Path(avro_schemas.__file__).parent / "avro"
NAME = "TranslationRequest"
# Arrays come back as lists.
_ARRAYS: dict[str, Any] = {"texts": [], "glossaries": [], "do_not_translate": []}
REQUEST = TranslationRequest(request_id="r1", target_language="pt", text="Hi", metadata={"ticket": "7"}, **_ARRAYS)


class RegistryOfOne:
    """Knows one schema, by its text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def id_of(self, schema: WireSchema) -> int:
        return 1

    def schema_of(self, reference: SchemaReference) -> Schema:
        return avro_schemas.foreign(self._text)

    def is_at_hand(self, reference: SchemaReference) -> bool:
        return True


def _forget() -> None:
    for one in (current, released, by_fingerprint, int_fields, written):
        one.cache_clear()


@pytest.fixture
def schemas_in(monkeypatch) -> Iterator[Callable[[Path], None]]:
    """`schemas_in(folder)`: this process is of the release whose schemas lie there."""

    def change(folder: Path) -> None:
        monkeypatch.setattr(avro_schemas, "_folder", lambda: folder)
        _forget()

    yield change
    monkeypatch.undo()
    _forget()


@pytest.fixture
def old(tmp_path) -> Path:
    """The release before `metadata` was added to requests: it knows its own schemas only."""
    folder = tmp_path / "old"
    shutil.copytree(AVRO, folder, ignore=shutil.ignore_patterns("released"))
    file = folder / f"{NAME}.avsc"
    schema = json.loads(file.read_text())
    schema["fields"] = [field for field in schema["fields"] if field["name"] != "metadata"]
    file.write_text(json.dumps(schema))
    _release(folder, folder / "released" / "v1")
    return folder


@pytest.fixture
def new(tmp_path, old) -> Path:
    """Our schemas as the release after it."""
    folder = tmp_path / "new"
    shutil.copytree(AVRO, folder, ignore=shutil.ignore_patterns("released"))
    shutil.copytree(old / "released" / "v1", folder / "released" / "v1")
    _release(folder, folder / "released" / "v2")
    return folder


def _release(folder: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for file in folder.glob("*.avsc"):
        shutil.copy(file, target)


def test_a_new_process_reads_what_an_old_one_wrote(schemas_in, old, new):
    schemas_in(old)
    value = Codec().encode(REQUEST)
    schemas_in(new)
    read = Codec().decode(value, TranslationRequest)
    assert (read.request_id, read.text, read.metadata) == ("r1", "Hi", {})


def test_an_old_process_refuses_what_a_new_one_writes_and_names_the_cure(schemas_in, old, new):
    schemas_in(new)
    value = Codec().encode(REQUEST)
    schemas_in(old)
    with pytest.raises(DecodeError, match="unknown schema fingerprint") as refused:
        Codec().decode(value, TranslationRequest)
    assert "docs/upgrading.md" in (refused.value.cure or "")


def test_an_old_process_reads_what_a_new_one_writes_for_its_release(schemas_in, old, new):
    schemas_in(new)
    value = Codec(release=1).encode(REQUEST)
    schemas_in(old)
    assert value[2:10] == current(NAME).fingerprint
    read = Codec().decode(value, TranslationRequest)
    assert (read.request_id, read.text, "metadata" in vars(read)) == ("r1", "Hi", False)


def test_a_new_process_reads_both_while_it_writes_for_the_old_release(schemas_in, new):
    schemas_in(new)
    codec = Codec(release=1)
    assert codec.decode(codec.encode(REQUEST), TranslationRequest).metadata == {}
    assert codec.decode(Codec().encode(REQUEST), TranslationRequest) == REQUEST


def test_with_a_registry_an_old_process_reads_what_a_new_one_writes(schemas_in, old, new):
    schemas_in(new)
    registry = RegistryOfOne(json.dumps(current(NAME).published))
    value = Codec(registry).encode(REQUEST)
    schemas_in(old)
    read = Codec(registry).decode(value, TranslationRequest)
    assert (read.request_id, read.text, "metadata" in vars(read)) == ("r1", "Hi", False)


def test_a_release_that_never_was_is_refused(schemas_in, new):
    schemas_in(new)
    with pytest.raises(FatalError, match="no release v3"):
        Codec(release=3).encode(REQUEST)


def test_a_message_that_the_release_did_not_have_is_written_as_it_is(schemas_in, new):
    (new / "released" / "v1" / f"{NAME}.avsc").unlink()
    schemas_in(new)
    assert written(NAME, 1) is current(NAME)
