import json
from typing import Any

from connectors.object_store import ObjectSettings, open_objects
from schemas.codec import Codec
from schemas.documents import unmerged_name
from schemas.messages import TranslationResult
from stream_apps.redrive.sources import KafkaSources


def test_an_answer_that_an_older_version_kept_has_the_defaults_of_the_fields_that_it_did_not_know():
    nothing: Any = None
    objects = open_objects(ObjectSettings(url="memory:///"))
    failed = TranslationResult(tenant="acme", request_id="r1", version=2)
    kept = TranslationResult(tenant="acme", request_id="r1", texts=["Hi"]).to_datum()
    older = {name: value for name, value in kept.items() if name not in ("labels", "confidence", "suspects")}
    objects.write_text(unmerged_name(failed.key, failed.version), json.dumps(older))
    found = KafkaSources(nothing, Codec(), {}, objects, nothing).unmerged(failed)
    assert Codec().encode(found) == Codec().encode(TranslationResult(tenant="acme", request_id="r1", texts=["Hi"]))
    assert (found.labels, found.confidence, found.suspects) == ({}, None, ())
