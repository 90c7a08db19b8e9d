"""The work of one child of the sandbox, and how it is told. Everything goes by files and JSON.

The answer of a child is read by a process that must not trust it: parsers may have been taken over. So no pickle.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from connectors.formats.protocol import Code, CodeKind, Extraction, Limits, Options, Unit, Warned
from connectors.formats.registry import Extracted, extract, filter_of

SKELETON, UNITS, OUTPUT = "skeleton", "units.json", "output"

Job = Mapping[str, Any]


def extract_job(source: Path, name: str, media_type: str, options: Options) -> Job:
    """Describe an extraction."""
    return {
        "verb": "extract",
        "source": str(source),
        "name": name,
        "media_type": media_type,
        "options": asdict(options),
    }


def merge_job(source: Path, format_name: str, options: Options) -> Job:
    """Describe a merge. Skeleton and units stand in the job's folder."""
    return {"verb": "merge", "source": str(source), "format": format_name, "options": asdict(options)}


def work(job: Job) -> dict[str, Any]:
    """Do the job in the current folder; what is large is written there. Returns what is small."""
    with open(job["source"], "rb") as source:
        options = _options(job["options"])
        if job["verb"] == "extract":
            return _write_extraction(extract(source, job["name"], job["media_type"], options))
        units = json.loads(Path(UNITS).read_bytes())
        with open(OUTPUT, "wb") as output:
            filter_of(job["format"]).merge(source, Path(SKELETON).read_bytes(), units, output, options)
    return {}


def read_extraction(folder: Path, told: Mapping[str, Any]) -> Extracted:
    """Read what a child extracted."""
    units = tuple(_unit(*fields) for fields in json.loads((folder / UNITS).read_bytes()))
    warnings = tuple(Warned(*fields) for fields in told["warnings"])
    extraction = Extraction(units, (folder / SKELETON).read_bytes(), warnings, told["pages"])
    return Extracted(told["format"], told["media_type"], told["version"], extraction)


def _write_extraction(extracted: Extracted) -> dict[str, Any]:
    found = extracted.extraction
    Path(SKELETON).write_bytes(found.skeleton)
    units = [
        (
            unit.text,
            [tuple(asdict(code).values()) for code in unit.codes],
            unit.place,
            unit.translate,
            unit.longest,
        )
        for unit in found.units
    ]
    Path(UNITS).write_text(json.dumps(units), "ascii")
    return {
        "format": extracted.format,
        "media_type": extracted.media_type,
        "version": extracted.version,
        "warnings": [tuple(asdict(warned).values()) for warned in found.warnings],
        "pages": found.pages,
    }


def _unit(text: str, codes: list[Any], place: str, translate: bool, longest: int | None) -> Unit:  # as stored
    return Unit(text, tuple(Code(n, CodeKind(kind), shown) for n, kind, shown in codes), place, translate, longest)


def _options(fields: Mapping[str, Any]) -> Options:
    return Options(**{**fields, "limits": Limits(**fields["limits"])})
