"""Which texts are marked up, and how what stands between tags is written. Pure."""

from collections.abc import Mapping

from schemas.states import RequestKind

# By the media type of a text: which syntax its tags have.
MARKUP: Mapping[str, str] = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "text/xml": "xml",
    "application/xml": "xml",
}
PLAIN = "text/plain"
# What a text is, in one word.
MEDIA_TYPES: Mapping[str, str] = {"text": PLAIN, "html": "text/html", "xml": "application/xml"}
# What a request may say about tags, in filter_options: names of elements, separated by commas; and 0 or 1.
IGNORE_TAGS, SPLITTING_TAGS, NON_SPLITTING_TAGS = "ignore_tags", "splitting_tags", "non_splitting_tags"
OUTLINE_DETECTION = "outline_detection"
MARKUP_OPTIONS = (IGNORE_TAGS, SPLITTING_TAGS, NON_SPLITTING_TAGS, OUTLINE_DETECTION)


def is_marked_up(kind: str, content_type: str) -> bool:
    """Tell whether the text of a request holds tags; a document's are known by its filter."""
    return kind != RequestKind.DOCUMENT and content_type in MARKUP


def escaped(text: str) -> str:
    """Write a text between tags. A no-break space stays visible as an entity."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\xa0", "&#160;")


def quoted(text: str) -> str:
    """Write a text in an attribute, whatever its quotes are."""
    return escaped(text).replace('"', "&quot;").replace("'", "&#39;")
