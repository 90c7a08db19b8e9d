"""Which values of a data file are meant: patterns over their paths, from the request's filter options. Pure."""

from fnmatch import fnmatchcase

from connectors.formats.protocol import Options

# Values of these keys are hardly ever sentences.
_NEVER = frozenset({"$id", "$ref", "$schema", "href", "id", "key", "sku", "src", "type", "url", "uuid"})


def is_wanted(path: tuple[str, ...], options: Options) -> bool:
    """Tell whether the value at this path is to be translated.

    `include` and `exclude` of the filter options are patterns of dotted paths (`menu.*.title`), separated by
    commas. Without `include`, keys such as `id` and `url` are left out.
    """
    dotted = ".".join(path)
    include, exclude = _patterns(options, "include"), _patterns(options, "exclude")
    if any(fnmatchcase(dotted, pattern) for pattern in exclude):
        return False
    if include:
        return any(fnmatchcase(dotted, pattern) for pattern in include)
    return not path or path[-1].lower() not in _NEVER


def _patterns(options: Options, name: str) -> list[str]:
    return [pattern.strip() for pattern in options.settings.get(name, "").split(",") if pattern.strip()]


def has_letters(text: str) -> bool:
    """Tell whether there is anything to translate."""
    return any(map(str.isalpha, text))
