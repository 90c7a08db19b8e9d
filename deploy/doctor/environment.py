"""Read the settings as every process would, and note what it would refuse."""

from collections.abc import Iterable, Iterator, Mapping

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsError

from deploy.doctor.facts import Misread
from schemas.errors import FatalError

PREFIX = "DRAGOMAN_"


def misread(classes: Iterable[type[BaseSettings]]) -> list[Misread]:
    """Build every class from the environment; return what is refused, each once."""
    classes = list(classes)
    by_title = {one.__name__: one.model_config["env_prefix"] for one in classes}
    return list(dict.fromkeys(found for one in classes for found in _refused(one, by_title)))


def unread(environment: Iterable[str], prefixes: Iterable[str], names: Iterable[str]) -> list[str]:
    """Return the variables of ours that no process reads.

    What begins with the prefix of a section is refused by the section itself, and so is not listed here.
    """
    sections = tuple(prefix for prefix in prefixes if prefix != PREFIX)
    ours = {name for name in environment if name.startswith(PREFIX)} - set(names)
    return sorted(name for name in ours if not name.startswith(sections))


def _refused(settings: type[BaseSettings], prefixes: Mapping[str, str]) -> Iterator[Misread]:
    try:
        settings()
    except ValidationError as error:
        for one in error.errors(include_url=False, include_input=False):
            prefix = prefixes.get(error.title, "")
            where = ".".join(map(str, one["loc"]))
            yield Misread(f"{prefix}{where}".upper() if where else "", one["msg"].removeprefix("Value error, "))
    except (SettingsError, FatalError) as error:
        yield Misread("", str(error))
