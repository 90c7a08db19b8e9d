"""Redis: the translation memory in the cache, everything else in the state."""

import sys

# redis-py (8.1) imports OpenTelemetry's metrics SDK where that is installed, for metrics that nobody asks of it: a
# quarter of its own import, at every start of a process. With this entry it goes on as where there is none.
sys.modules.setdefault("opentelemetry.sdk.metrics", None)  # type: ignore[arg-type]  # as import itself reads it
