"""Who was killed is waited for: what a process does not need, it does not import at its start."""

import subprocess
import sys

STARTED = """
import sys
import stream_apps.intake.main, stream_apps.assembly.main, stream_apps.repair.main
import stream_apps.documents.extraction.main, stream_apps.documents.merging.main
import stream_apps.usage_sink.main, producers.http.main, inference_workers.main, deploy.autoscaler.main
from connectors.kafka.schema_registry import open_codec
from connectors.kafka.settings import KafkaSettings
open_codec(KafkaSettings())
unneeded = ("httpx", "requests", "torch", "ctranslate2", "chdb", "pandas", "kafka", "opentelemetry.sdk")
print(*(name for name in unneeded if name in sys.modules))
"""


DOCUMENTS = """
import sys
import stream_apps.documents.extraction.main, stream_apps.documents.merging.main
print(*(name for name in ("faust", "fastapi", "httpx") if name in sys.modules))
"""


TRACED = """
import sys
import connectors.redis.client
from connectors.tracing.opening import open_tracer
from connectors.tracing.settings import TracingSettings
open_tracer(TracingSettings(endpoint="http://127.0.0.1:9/v1/traces"), "assembly", "a").close()
print("opentelemetry.sdk.trace" in sys.modules)
"""


def test_where_tracing_is_on_opentelemetry_comes_with_it():
    started = subprocess.run([sys.executable, "-c", TRACED], capture_output=True, text=True, check=True)
    assert started.stdout.split() == ["True"]


def test_the_processes_of_documents_do_without_faust():
    started = subprocess.run([sys.executable, "-c", DOCUMENTS], capture_output=True, text=True, check=True)
    assert started.stdout.split() == []


def test_no_process_imports_an_http_client_or_an_engine_before_it_needs_one():
    started = subprocess.run([sys.executable, "-c", STARTED], capture_output=True, text=True, check=True)
    assert started.stdout.split() == []
