"""Say what is wrong with what was seen, and its cure. Pure: facts in, (message, cure) out."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from connectors.kafka.topic_check import Difference
from deploy.doctor.facts import (
    Clock,
    Configuration,
    Folder,
    ModelFolder,
    RedisServer,
    SecretFile,
    ServerVersion,
    TopicPermissions,
)
from deploy.doctor.settings import DoctorSettings

Wrong = Iterator[tuple[str, str]]

# What all processes together do with each topic.
_NEEDED = frozenset({"READ", "WRITE", "DESCRIBE"})
_REFERENCE = "docs/reference/configuration.md"
_OTHERS_MAY = 0o077
_MEGABYTE = 1_000_000


def check_configuration(found: Configuration) -> Wrong:
    """Check that every variable is read by something, accepted by it, and that values fit each other."""
    for one in found.misread:
        yield f"{one.variable or 'the settings'}: {one.message}", f"correct it; {_REFERENCE} says what is allowed"
    for name in found.unread:
        close = get_close_matches(name, found.known, 1)
        meant = f"rename it to {close[0]}" if close else f"remove it, or look it up in {_REFERENCE}"
        yield f"{name} is read by nothing", meant
    if found.pool not in found.pools:
        named = ", ".join(found.pools)
        yield (
            f"DRAGOMAN_WORKER_POOL is {found.pool}, and DRAGOMAN_KAFKA_POOLS has no such pool: {named}",
            f"add {found.pool} to DRAGOMAN_KAFKA_POOLS and run dragoman topics create, or choose one of them",
        )
    if found.prices is not None and found.price_key not in found.prices:
        yield (
            f"{found.price_key} has no price, so its work is free in the books",
            f"add {found.price_key} to DRAGOMAN_ANALYTICS_PRICES",
        )


def check_topics(found: Sequence[Difference]) -> Wrong:
    """Check that the cluster has the topics of the catalogue; the same for the subjects of a registry."""
    for one in found:
        yield f"{one.topic}: {one.name} is {one.found}, the catalogue says {one.wanted}", one.cure


def check_versions(found: Sequence[ServerVersion]) -> Wrong:
    """Check that nothing is older than what Dragoman needs."""
    for one in found:
        if not one.is_enough:
            yield f"{one.name} is {one.found}, {one.wanted} is needed", one.cure


def check_clocks(found: Sequence[Clock], limits: DoctorSettings) -> Wrong:
    """Check that deadlines, rates and reports mean the same time; what the round trip leaves open is forgiven."""
    for one in found:
        if abs(one.ahead_seconds) - one.round_trip_seconds / 2 > limits.clock_seconds:
            direction = "ahead of" if one.ahead_seconds > 0 else "behind"
            yield (
                f"the clock of {one.name} is {abs(one.ahead_seconds):.1f} s {direction} the one here; "
                f"at most {limits.clock_seconds:g} s are allowed (DRAGOMAN_DOCTOR_CLOCK_SECONDS)",
                "synchronise both with NTP (Debian: apt-get install chrony)",
            )


def check_permissions(found: Sequence[TopicPermissions]) -> Wrong:
    """Check that the user of DRAGOMAN_KAFKA_SASL_USERNAME may do what the processes do."""
    for one in found:
        missing = sorted(
            _NEEDED - (_NEEDED if one.operations is None or "ALL" in one.operations else one.operations)
        )
        if missing:
            allow = " ".join(f"--operation {operation.title()}" for operation in missing)
            yield (
                f"the user may not {', '.join(missing)} {one.topic}",
                f"kafka-acls.sh --add --allow-principal User:NAME {allow} --topic {one.topic}",
            )


def check_secret_files(found: Sequence[SecretFile]) -> Wrong:
    """Check that only their owner can read the files that hold secrets."""
    for one in found:
        if one.mode & _OTHERS_MAY:
            yield f"{one.path} can be read by others (mode {one.mode:o})", f"chmod 600 {one.path}"


def check_cache(found: RedisServer) -> Wrong:
    """Check that the cache is one server, is bounded and makes room by itself."""
    if found.is_cluster:
        yield (
            "the cache Redis is a cluster, which answers no question about several texts",
            "set DRAGOMAN_REDIS_CACHE_URL to one server, which may have replicas",
        )
    if found.max_bytes == 0:
        yield "the cache Redis has no maxmemory, so it grows until the machine kills it", "set maxmemory (512mb)"
    if found.policy and not found.policy.startswith("allkeys-"):
        yield (
            f"the cache Redis has maxmemory-policy {found.policy}: full, it refuses writes or keeps what is old",
            "set maxmemory-policy allkeys-lru",
        )


def check_state(found: RedisServer, limits: DoctorSettings) -> Wrong:
    """Check that the state forgets nothing: neither by eviction, nor at a restart, nor when it is full."""
    if found.is_cluster:
        yield "the state Redis is a cluster", "set DRAGOMAN_REDIS_STATE_URL to one server, which may have replicas"
    if found.policy not in ("noeviction", ""):
        yield (
            f"the state Redis has maxmemory-policy {found.policy}, so requests may be answered twice",
            "set maxmemory-policy noeviction (managed: in its parameter group)",
        )
    if found.evicted_keys:
        yield f"the state Redis has evicted {found.evicted_keys} keys", "give it memory; docs/security.md"
    if not found.is_on_disk:
        yield (
            "the state Redis keeps nothing on disk: a restart loses limits, lists and texts (no answers)",
            "set appendonly yes, appendfsync everysec",
        )
    if found.last_write_failed:
        yield "the state Redis could not write to its disk", "free space on its disk and read its log"
    if found.max_bytes and found.used_bytes > limits.memory_share * found.max_bytes:
        used, limit = found.used_bytes // _MEGABYTE, found.max_bytes // _MEGABYTE
        yield (
            f"the state Redis uses {used} of {limit} MB; when it is full nothing is accepted",
            "raise its maxmemory",
        )


def check_disk(found: Sequence[Folder], limits: DoctorSettings) -> Wrong:
    """Check that each folder can be written and has space."""
    for one in found:
        if not one.is_writable:
            yield f"{one.path} cannot be written by this user", f"chown it: chown -R $(id -u) {one.path}"
        if one.free_megabytes < limits.free_megabytes:
            yield (
                f"{one.path} has {one.free_megabytes} MB free, {limits.free_megabytes} are wanted "
                "(DRAGOMAN_DOCTOR_FREE_MEGABYTES)",
                "free some space, or set DRAGOMAN_LOCAL_ROOT to another disk",
            )


def check_models(found: Sequence[ModelFolder]) -> Wrong:
    """Check that there is a model, that its files are whole and that its engine is installed."""
    if not found:
        yield (
            "no translation model is on this machine",
            "install the extra `local`, or set DRAGOMAN_WORKER_MODEL_PATHS to folders with models",
        )
    for one in found:
        if one.fault:
            yield one.fault, f"fetch the model in {one.path} again"
        if not one.engine_is_installed:
            yield f"{one.path} needs the engine {one.engine}, which is not installed", _installed(one.engine)


def _installed(engine: str) -> str:
    extra = {"bergamot": "local"}.get(engine, engine)
    return f"pip install 'dragoman[{extra}]'"
