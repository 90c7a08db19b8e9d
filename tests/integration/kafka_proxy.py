"""A Kafka broker seen through a proxy, which can name no broker to whoever asks for metadata.

So does a broker that starts, now and then. Every connection is led through the proxy, because it puts its own port
in place of the broker's.
"""

import asyncio
import struct
import threading
from asyncio import StreamReader, StreamWriter
from typing import Self

_METADATA, _FIND_COORDINATOR = 3, 10
# Of the request header: api key, api version, correlation id.
_REQUEST_HEADER = struct.Struct(">hhi")
_NO_BROKERS = b"\x01"


class KafkaProxy:
    """On a thread of its own, for one broker."""

    def __init__(self, bootstrap: str) -> None:
        host, port = bootstrap.split(":")
        self._broker = (host, int(port))
        self.names_brokers = True
        self._writers: list[StreamWriter] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        serving = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, "127.0.0.1", 0), self._loop)
        self._server = serving.result(5)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def _end(self) -> None:
        self._server.close()
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)

    def cut(self) -> None:
        """Ends every connection, as a broker that goes away; the next ones are taken."""
        self._loop.call_soon_threadsafe(self._cut)

    def _cut(self) -> None:
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        asked_at, answers_to = await asyncio.open_connection(*self._broker)
        self._writers += [writer, answers_to]
        asked: dict[int, int] = {}
        ways = [self._requests(reader, answers_to, asked), self._answers(asked_at, writer, asked)]
        tasks = [asyncio.create_task(way) for way in ways]
        # One of the two ends is gone.
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        writer.close()
        answers_to.close()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _requests(self, client: StreamReader, broker: StreamWriter, asked: dict[int, int]) -> None:
        while True:
            request = await _frame(client)
            api, version, correlation = _REQUEST_HEADER.unpack_from(request)
            assert api != _METADATA or version >= 9, "older versions are laid out otherwise"
            asked[correlation] = api
            broker.write(struct.pack(">i", len(request)) + request)

    async def _answers(self, broker: StreamReader, client: StreamWriter, asked: dict[int, int]) -> None:
        while True:
            answer = await _frame(broker)
            (correlation,) = struct.unpack_from(">i", answer)
            answer = self._told(asked.pop(correlation), answer)
            client.write(struct.pack(">i", len(answer)) + answer)

    def _told(self, api: int, answer: bytes) -> bytes:
        if api == _METADATA and not self.names_brokers:
            answer = _without_brokers(answer)
        if api in (_METADATA, _FIND_COORDINATOR):
            answer = answer.replace(struct.pack(">i", self._broker[1]), struct.pack(">i", self.port))
        return answer


def _without_brokers(answer: bytes) -> bytes:
    # Correlation id, no tags, throttle time; then the compact array of brokers: id, host, port, rack, no tags.
    start = 4 + 1 + 4
    count, place = _varint(answer, start)
    for _ in range(count - 1):
        host, place = _varint(answer, place + 4)
        rack, place = _varint(answer, place + host - 1 + 4)
        place += max(rack - 1, 0) + 1
    return answer[:start] + _NO_BROKERS + answer[place:]


async def _frame(stream: StreamReader) -> bytes:
    (length,) = struct.unpack(">i", await stream.readexactly(4))
    return await stream.readexactly(length)


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """The number there, and the place behind it."""
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place
