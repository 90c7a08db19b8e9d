"""List the jobs of a tenant, the newest first, page by page, filtered by what is known of each.

A cursor is the place behind the last job of a page. Filters are applied to what is read: a page may be short, and
even empty, while a cursor says that there is more.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from connectors.redis.job_view import JobView
from producers.http.moments import Moment, milliseconds_of
from producers.http.ports import Jobs
from schemas.errors import PermanentError
from schemas.language_names import UNDETERMINED
from schemas.languages import AUTO, parse_language
from schemas.priorities import Priority
from schemas.states import ResultStatus

# Jobs that one call looks at; each is three keys of one question.
_MOST_LOOKED_AT = 500
_PORTION = 100
# Behind every place, which begins with a time.
_NEWEST = "~"
_PLACE = re.compile(r"[0-9]{14}/.{1,200}")


class JobFilter(BaseModel):
    """Which jobs of the tenant are wanted; what is left out does not narrow."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=100, description="Jobs of a page, at most.")] = 20
    cursor: Annotated[str | None, Field(max_length=500, description="next_cursor of the page before.")] = None
    status: Annotated[ResultStatus | None, Field(description="Finished so; RUNNING jobs have none.")] = None
    is_finished: Annotated[bool | None, Field(description="false: only those that are not answered yet.")] = None
    priority: Priority | None = None
    source_language: Annotated[str | None, Field(description="As requested.")] = None
    target_language: str | None = None
    since: Annotated[Moment | None, Field(description="Submitted then or later; RFC 3339.")] = None
    until: Annotated[Moment | None, Field(description="Submitted before.")] = None
    tenant: Annotated[str | None, Field(description="For callers who may act for several tenants.")] = None

    @field_validator("source_language", "target_language")
    @classmethod
    def _canonical(cls, code: str | None, info: ValidationInfo) -> str | None:
        # Jobs have canonical codes, whatever their callers wrote.
        if code in (None, AUTO, UNDETERMINED):
            return code
        return str(parse_language(code, info.field_name or ""))

    def wants(self, view: JobView) -> bool:
        """Tell whether the job is wanted; times are narrowed where the list is read."""
        found = (view.status, view.priority, view.source_language, view.target_language)
        wanted = (self.status, self.priority, self.source_language, self.target_language)
        is_alike = all(one in (None, own) for one, own in zip(wanted, found, strict=True))
        return is_alike and self.is_finished in (None, view.status is not None)


@dataclass(frozen=True)
class JobPage:
    """Jobs, the newest first, and the cursor of the next page; None at the end."""

    views: list[JobView]
    next_cursor: str | None


async def list_jobs(tenant: str, wanted: JobFilter, jobs: Jobs) -> JobPage:
    """Return a page. Raises PermanentError for a cursor that is none, TransientError while Redis is away."""
    found: list[JobView] = []
    since_ms, before = _ms(wanted.since), _before(wanted)
    for _ in range(0, _MOST_LOOKED_AT, _PORTION):
        portion = await jobs.page(tenant, since_ms, before, _PORTION)
        for one in portion:
            before = one.place
            if one.view is not None and wanted.wants(one.view):
                found.append(one.view)
            if len(found) == wanted.limit:
                return JobPage(found, _cursor_of(before))
        if len(portion) < _PORTION:
            return JobPage(found, None)
    return JobPage(found, _cursor_of(before))


def _before(wanted: JobFilter) -> str:
    if wanted.cursor is not None:
        return _place_of(wanted.cursor)
    return _NEWEST if wanted.until is None else f"{_ms(wanted.until):014d}"


def _ms(moment: datetime | None) -> int:
    return max(milliseconds_of(moment) or 0, 0)


def _cursor_of(place: str) -> str:
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _place_of(cursor: str) -> str:
    try:
        place = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError):
        place = ""
    if not _PLACE.fullmatch(place):
        raise PermanentError(
            "bad_cursor",
            "the cursor is none of ours",
            field="cursor",
            limit="next_cursor of a page",
            cure="leave it out to begin with the newest job",
        )
    return place
