"""What is known of a request before it is answered. Pure.

HTTP writes what the caller sent, intake what it made of it, each under a key of its own in the state Redis;
nothing is merged. Readers take the newer kind where it is there.
"""

import dataclasses
import json
from dataclasses import dataclass

from schemas.records import StoredAt


@dataclass(frozen=True, kw_only=True)
class RequestPlan:
    """How much work a request is. `fingerprint` is that of its payload, `last_batch` where its last batch waits.

    Times are milliseconds since the epoch; `noted_at` is when this was written down. `split` names the way the
    text was cut. Of a document: its file, and its pages where its format has some. What nobody knows yet has its
    default.
    """

    fingerprint: str = ""
    priority: str = "standard"
    pool: str = "default"
    source_language: str = ""
    target_language: str = ""
    split: str = ""
    segments: int = 0
    batches: int = 0
    words: int = 0
    cached_segments: int = 0
    submitted_at: int = 0
    noted_at: int = 0
    deadline: int | None = None
    kind: str = "text"
    file_name: str = ""
    content_type: str = ""
    content_bytes: int = 0
    pages: int | None = None
    last_batch: StoredAt | None = None

    def encode(self) -> bytes:
        """Return the plan as JSON, without what has its default."""
        known = {name: value for name, value in vars(self).items() if value != _DEFAULTS[name]}
        return json.dumps(known, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, data: bytes) -> "RequestPlan":
        """Read what `encode` of any version wrote: names that this version does not know are left out."""
        known = {name: value for name, value in json.loads(data).items() if name in _DEFAULTS}
        if "last_batch" in known:
            known["last_batch"] = StoredAt(*known["last_batch"])
        return cls(**known)


_DEFAULTS = {field.name: field.default for field in dataclasses.fields(RequestPlan)}
