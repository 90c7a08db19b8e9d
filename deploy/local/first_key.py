"""Give the platform of this machine its tenant `default` and an operator's key, before anybody asks for them.

`python -m deploy.local.first_key FILE` runs at every start. The key stands in the file, which only its owner may
read; the platform keeps its digest. The file comes first: killed between the two, the next start goes on with it.
"""

import json
import os
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from connectors.kafka.schema_registry import open_codec
from connectors.kafka.settings import KafkaSettings
from deploy.local.errors import StackError
from deploy.local.state_files import write_atomically
from schemas.accounts import Tenant
from schemas.errors import TransientError
from stream_apps.accounts.api_keys import NewKey, is_key, known_key, new_key
from stream_apps.accounts.changes import Change, Rights, new_tenant
from stream_apps.accounts.changes import new_key as key_record
from stream_apps.accounts.directory import Directory
from stream_apps.accounts.store import Account, AccountStore, KafkaAccounts
from stream_apps.accounts.tiers import UNLIMITED
from stream_apps.runtime.process import now_ms
from stream_apps.runtime.retry import RetryPolicy

TENANT = "default"
_BY = "dragoman up"
_ATTEMPTS = 8


def credentials_path(root: Path) -> Path:
    """Return the file with the key, which only its owner may read."""
    return root / "credentials.json"


def read_key(root: Path) -> str:
    """Return the key of the local platform. Raises StackError where there is none."""
    try:
        return str(json.loads(credentials_path(root).read_text())["api_key"])
    except (OSError, ValueError, KeyError) as error:
        raise StackError(f"the key in {credentials_path(root)} cannot be read: {error}") from None


def keep_first_key(store: AccountStore, file: Path, now_ms: int) -> None:
    """Make sure that the tenant exists and that the key in the file is an operator's; make what is missing.

    A key that was revoked or has expired is replaced. Raises TransientError while Kafka is away.
    """
    found, kept = store.read(), _kept_key(file)
    if found.tenant(TENANT) and _is_living(found, kept, now_ms):
        return
    key = kept if found.credential(kept.key_id) is None else _written(new_key(), file)
    store.change(lambda found: _missing(found, key, Change(_BY, now_ms)))


def main(arguments: Sequence[str]) -> int:
    """Return 0 once everything is there; while Kafka settles the topics that were just made, try again."""
    settings = KafkaSettings()
    store, pauses, failures = KafkaAccounts(settings, open_codec(settings)), RetryPolicy(), 0
    while True:
        try:
            keep_first_key(store, Path(arguments[0]), now_ms())
            return 0
        except TransientError:
            failures += 1
            if failures == _ATTEMPTS:
                raise
            time.sleep(pauses.pause_seconds(failures, random.random()))


def _missing(found: Directory, key: NewKey, change: Change) -> list[Account]:
    tenant = Tenant(tenant=TENANT, name="This machine", tier=UNLIMITED)
    missing: list[Account] = []
    if found.tenant(TENANT) is None:
        missing.append(new_tenant(found, tenant, change))
        found.put(missing[0])
    if found.credential(key.key_id) is None:
        rights = Rights(role="operator", name="made by dragoman up")
        missing.append(key_record(found, TENANT, key, rights, change))
    return missing


def _is_living(found: Directory, key: NewKey, now_ms: int) -> bool:
    known = found.credential(key.key_id)
    if known is None or not is_key(key.text, known.secret_hash):
        return False
    return not known.revoked_at and not 0 < known.expires_at <= now_ms


def _kept_key(file: Path) -> NewKey:
    """Return the key in the file; one that is missing or damaged is made anew."""
    try:
        return known_key(json.loads(file.read_text())["api_key"])
    except (OSError, ValueError, KeyError, TypeError):
        return _written(new_key(), file)


def _written(key: NewKey, file: Path) -> NewKey:
    # Never readable by others, not even between its creation and a change of its mode.
    before = os.umask(0o077)
    try:
        write_atomically(file, json.dumps({"tenant": TENANT, "api_key": key.text}, indent=2) + "\n")
    finally:
        os.umask(before)
    return key


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
