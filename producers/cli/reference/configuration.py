"""docs/reference/configuration.md: every setting, from the classes that read the environment."""

from collections.abc import Iterator

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from connectors.settings import PREFIX
from producers.cli.reference.fields import HEADER, cells_of, default_of, nested_models
from producers.cli.reference.processes import Readers, readers_by_prefix
from producers.cli.table import markdown_of

_ABOVE = """\
# Configuration
Made from the settings classes: `make reference`. A process reads these variables once, when it starts, and
nothing else. A value out of bounds, or a name that no section with its prefix knows, ends the start with a
message that says so.

*Types.* `bool` is `true` or `false`; what has parts is JSON: `DRAGOMAN_KAFKA_POOLS='["default", "gpu"]'`.
*Units.* `MB` are 2^20 bytes for models, the cache and Java's heaps, else 10^6; a `share` is 1 for all.
Not set means empty. What the limits mean for memory: [bounds](../bounds.md); who waits for what, and how
long: [retries](../retries.md). `dragoman up` sets addresses, ports and names itself, and hands on everything
else. Access to an object store comes from its cloud's own variables. One variable is a script's:
`DRAGOMAN_STATE_FOLDERS_KEPT` (3, at least 1), read by deploy/valkey/start_state.sh, is the number of unreadable
states that are kept."""


def configuration_page() -> str:
    """Whole, with its last newline."""
    sections = [_section(prefix, readers) for prefix, readers in sorted(readers_by_prefix().items())]
    return "\n\n".join([_ABOVE, *sections]) + "\n"


def _section(prefix: str, readers: Readers) -> str:
    settings = _broadest(readers)
    title = f"{prefix}*" if prefix != PREFIX else f"{prefix}*, of every process"
    about = _about(prefix, settings)
    told = f"{about}\n\n" if about else ""
    return (
        f"## {title}\n{told}Read by: {', '.join(readers)}.\n\n{markdown_of(HEADER, list(_rows(prefix, readers)))}"
    )


def _about(prefix: str, settings: type[BaseSettings]) -> str:
    """The class's docstring without the prefix that it opens with."""
    said = (settings.__doc__ or "").removeprefix(f"{prefix}*").lstrip(".,: ")
    return said[:1].upper() + said[1:]


def _broadest(readers: Readers) -> type[BaseSettings]:
    """The class that all others of a prefix derive from."""
    return next(one for one in readers.values() if all(issubclass(other, one) for other in readers.values()))


def _rows(prefix: str, readers: Readers) -> Iterator[tuple[str, ...]]:
    for name, field in _broadest(readers).model_fields.items():
        variable = f"{prefix}{name}".upper()
        yield cells_of(variable, field, _other_defaults(name, field, readers))
        for model in nested_models(field.annotation):
            for key, part in model.model_fields.items():
                yield cells_of(f"{variable}[].{key}", part, {})


def _other_defaults(name: str, field: FieldInfo, readers: Readers) -> dict[str, str]:
    found = {process: default_of(settings.model_fields[name]) for process, settings in readers.items()}
    return {process: default for process, default in found.items() if default != default_of(field)}
