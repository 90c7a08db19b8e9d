"""Which elements and attributes of HTML are what to a reader."""

# Of other namespaces, as books write them.
_PREFIXED = ("m:math", "mml:math", "svg:svg")
# Inside a line of text; all others begin and end a unit.
INLINE = frozenset(
    [
        *_PREFIXED,
        "a",
        "abbr",
        "acronym",
        "audio",
        "b",
        "bdi",
        "bdo",
        "big",
        "br",
        "button",
        "cite",
        "code",
        "data",
        "del",
        "dfn",
        "em",
        "embed",
        "font",
        "i",
        "img",
        "input",
        "ins",
        "kbd",
        "label",
        "map",
        "mark",
        "math",
        "meter",
        "nobr",
        "object",
        "picture",
        "progress",
        "q",
        "rb",
        "rp",
        "rt",
        "ruby",
        "s",
        "samp",
        "small",
        "source",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "svg",
        "time",
        "track",
        "tt",
        "u",
        "var",
        "video",
        "wbr",
    ]
)
# Without an end tag.
VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)
BREAKS = frozenset({"br", "wbr"})
# Elements that stand for themselves: code, formulas, pictures, lists of choices.
OPAQUE = frozenset(
    [*_PREFIXED, "code", "kbd", "samp", "var", "math", "svg", "object", "textarea", "audio", "video", "canvas"]
)
# Of these, those whose own attributes readers see all the same.
LABELLED = OPAQUE - {"code", "kbd", "samp", "var", "math"}
# What browsers show or read out.
ATTRIBUTES = frozenset(
    {"alt", "aria-description", "aria-label", "aria-placeholder", "placeholder", "summary", "title"}
)
