"""`dragoman doctor` on the running stack: it is sound, and what is broken in it is found."""

import json
import os
import subprocess
import sys
from typing import Any

import redis

from deploy.local.main import read_run


def examined(stack: Any, **environment: str) -> tuple[int, dict[str, Any]]:
    command = (sys.executable, "-m", "producers.cli.main", "doctor", "--json")
    own = {"DRAGOMAN_LOCAL_ROOT": str(stack.root), **environment}
    ran = subprocess.run(
        command, env={**os.environ, **own}, capture_output=True, text=True, timeout=60, check=False
    )
    return ran.returncode, json.loads(ran.stdout)


def test_the_stack_is_sound_and_every_check_looked(stack):
    status, report = examined(stack)
    assert (status, report["findings"], report["unseen"]) == (0, [], [])
    assert len(report["sound"]) == 15


def test_what_is_broken_in_the_stack_is_found_with_its_cure(stack):
    state = redis.Redis.from_url(read_run(stack.root).redis_cache_url)
    state.config_set("maxmemory-policy", "noeviction")
    token = stack.root / "data" / "analytics.token"
    token.chmod(0o644)
    try:
        status, report = examined(stack, DRAGOMAN_KAFKA_PARTITIONS="7", DRAGOMAN_KAFKA_POOLS='["default", "gpu"]')
    finally:
        token.chmod(0o600)
        state.config_set("maxmemory-policy", "allkeys-lru")
        state.close()
    assert status == 1
    found = {(one["check"], one["cure"].split(" --")[0]) for one in report["findings"]}
    assert ("topics", "kafka-topics.sh") in found
    assert ("topics", "dragoman topics create") in found
    assert ("secrets", f"chmod 600 {token}") in found
    assert ("cache", "set maxmemory-policy allkeys-lru") in found
