"""The rules for what a request says about the tags of its text. Pure."""

from collections.abc import Mapping

from schemas.errors import PermanentError
from schemas.markup import MARKUP_OPTIONS
from stream_apps.pipeline.request_limits import RequestLimits


def check_markup_options(options: Mapping[str, str], limits: RequestLimits) -> None:
    """Check the filter options of a text with tags. Raises PermanentError for the first thing wrong."""
    for name, value in options.items():
        field = f"filter_options.{name[:40]}"
        if name not in MARKUP_OPTIONS:
            raise PermanentError(
                "unknown_filter_option",
                f"texts with tags have no option {name[:40]!r}",
                field=field,
                limit=", ".join(MARKUP_OPTIONS),
                cure="leave it out",
            )
        if len(value) > limits.max_option_characters:
            raise PermanentError(
                "bad_options",
                f"{field} has {len(value)} characters",
                field=field,
                limit=f"{limits.max_option_characters} characters",
                cure="name the tags that matter, separated by commas",
            )
