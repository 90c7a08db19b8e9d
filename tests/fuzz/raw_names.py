"""Send garbage with a header name that is not UTF-8 to partition 0 of topics: `raw_names.py BOOTSTRAP TOPIC ...`.

Run it with AIOKAFKA_NO_EXTENSIONS=1: only aiokafka's Python code asks the name how it is encoded.
"""

import asyncio
import sys

from aiokafka import AIOKafkaProducer


class RawName(str):
    """A name as clients in other languages can send it."""

    __slots__ = ()

    def encode(self, *_how):
        return b"\xff\xfe\xfd"


async def main(bootstrap, *topics):
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        for topic in topics:
            await producer.send_and_wait(topic, b"garbage", headers=[(RawName("bad"), b"\xff")], partition=0)
    finally:
        await producer.stop()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
