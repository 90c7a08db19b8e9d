"""The usage sink goes on where the restored rows end: what came between is read from Kafka once more."""

from collections.abc import Mapping

from connectors.clickhouse.main import GROUP
from connectors.kafka.admin import KafkaAdmin
from schemas.errors import FatalError
from schemas.topics import USAGE


def rewind_usage(admin: KafkaAdmin, last_offsets: Mapping[str, int]) -> dict[int, int]:
    """Where each partition goes on. Raises FatalError where the offsets are of another cluster.

    The sink must stand still, which is waited for as long as a session lasts. A partition that the backup knows
    nothing of is read from its beginning.
    """
    ends = admin.ends(USAGE)
    begins = {partition: int(last_offsets.get(str(partition), -1)) + 1 for partition in ends}
    for partition, begin in begins.items():
        if begin > ends[partition]:
            raise FatalError(
                f"the backup ends at offset {begin} of {USAGE}-{partition}, the topic at {ends[partition]}: "
                "it is of another cluster; leave the sink where it is"
            )
    admin.wait_until_empty(GROUP)
    admin.move_group(GROUP, {(USAGE, partition): begin for partition, begin in begins.items()})
    return begins
