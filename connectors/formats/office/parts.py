"""The parts of an Office package: by their content type, and those that another part names."""

import posixpath
import re

from connectors.formats.packages import Package

_CONTENT_TYPES = "[Content_Types].xml"


def by_content_type(package: Package, pattern: re.Pattern[str]) -> list[str]:
    """List the parts whose content type the pattern is found in, in the order of the archive."""
    types: dict[str, str] = {}
    defaults: dict[str, str] = {}
    for element in package.xml(_CONTENT_TYPES).root.elements():
        kind = element.attributes.get("ContentType", "")
        if element.name == "ct:Override":
            types[element.attributes.get("PartName", "").lstrip("/")] = kind
        else:
            defaults[element.attributes.get("Extension", "").lower()] = kind
    return [
        name
        for name in package.names()
        if pattern.search(types.get(name, defaults.get(name.rpartition(".")[2].lower(), "")))
    ]


def related(package: Package, part: str) -> dict[str, str]:
    """Map the ids of a part's relations to the parts that they lead to; those out of the package are left out."""
    folder, _, name = part.rpartition("/")
    relations = f"{folder}/_rels/{name}.rels".lstrip("/")
    if relations not in package.names():
        return {}
    return {
        element.attributes.get("Id", ""): _target(folder, element.attributes.get("Target", ""))
        for element in package.xml(relations).root.elements()
        if element.attributes.get("TargetMode") != "External"
    }


def _target(folder: str, target: str) -> str:
    return posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
