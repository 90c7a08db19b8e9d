"""Delete the stored texts and files of requests and results once they are old enough.

Also what producers put into their inboxes: a document is copied before it is taken apart, and an old one was. What
else lies in a tenant's folder is the tenant's.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import structlog

from connectors.object_store import StoredText
from connectors.telemetry import metrics
from schemas.ids import INBOX, JOBS_FOLDER, REQUEST_TEXTS, RESULT_TEXTS, TENANTS_FOLDER
from schemas.topics import DAY_MS

log = structlog.get_logger()

_SWEPT = frozenset({REQUEST_TEXTS, RESULT_TEXTS, JOBS_FOLDER, INBOX})
# As many as S3 deletes at once.
_AT_ONCE = 1000


class StoredTexts(Protocol):
    """The object store (connectors.object_store.UrlObjectStore). Calls raise TransientError."""

    def texts(self, folder: str) -> Iterator[StoredText]:
        """List every text below the folder."""

    def delete(self, refs: Sequence[str]) -> None:
        """Delete these texts; those that are gone already do not matter."""


@dataclass(frozen=True)
class TextRetention:
    """Deletes what was written more than `keep_ms` ago, or as many days ago as its tenant has chosen.

    `keep_ms` 0: for ever. `tenant_days` returns the days of tenants; 0 stands for the platform's.
    """

    store: StoredTexts
    keep_ms: int
    now_ms: Callable[[], int]
    tenant_days: Callable[[], Mapping[str, int]] = dict

    def turn(self) -> None:
        """Look through the whole store once. Raises TransientError; the next call begins from the start."""
        now_ms, deleted = self.now_ms(), 0
        chosen = {tenant: days * DAY_MS for tenant, days in self.tenant_days().items() if days > 0}
        old = (
            text.ref
            for text in self.store.texts(TENANTS_FOLDER)
            if is_own(text.ref)
            and (keep_ms := self._keep_ms(text.ref, chosen))
            and text.written_ms < now_ms - keep_ms
        )
        while refs := list(islice(old, _AT_ONCE)):
            self.store.delete(refs)
            metrics.REPAIR_DELETED_TEXTS.inc(len(refs))
            deleted += len(refs)
        if deleted:
            log.info("old_texts_deleted", texts=deleted)

    def _keep_ms(self, ref: str, chosen: Mapping[str, int]) -> int:
        """Return how long it is kept; 0: for ever."""
        own_ms = chosen.get(ref.split("/")[1], 0)
        return min(own_ms, self.keep_ms) if own_ms and self.keep_ms else own_ms or self.keep_ms


def is_own(ref: str) -> bool:
    """Tell whether it lies in a folder of the platform: tenants/TENANT/requests, results, jobs or inbox."""
    _, _, *rest = ref.split("/")
    return len(rest) > 1 and rest[0] in _SWEPT
