"""A proxy before a Kafka broker that can answer metadata requests without naming any broker.

A starting broker sometimes does the same. Every connection goes through the proxy, because it replaces the
broker's port by its own in the answers.
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
    """Runs on a thread of its own, for one broker."""

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
        """Close every connection, as a broker that stops does; new ones are accepted."""
        self._loop.call_soon_threadsafe(self._cut)

    def _cut(self) -> None:
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        from_broker, to_broker = await asyncio.open_connection(*self._broker)
        self._writers += [writer, to_broker]
        pending: dict[int, int] = {}
        directions = [self._requests(reader, to_broker, pending), self._answers(from_broker, writer, pending)]
        tasks = [asyncio.create_task(one) for one in directions]
        # One of the two ends is gone.
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        writer.close()
        to_broker.close()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _requests(self, client: StreamReader, broker: StreamWriter, pending: dict[int, int]) -> None:
        while True:
            request = await _frame(client)
            api, version, correlation = _REQUEST_HEADER.unpack_from(request)
            assert api != _METADATA or version >= 9, "older versions are laid out otherwise"
            pending[correlation] = api
            broker.write(struct.pack(">i", len(request)) + request)

    async def _answers(self, broker: StreamReader, client: StreamWriter, pending: dict[int, int]) -> None:
        while True:
            answer = await _frame(broker)
            (correlation,) = struct.unpack_from(">i", answer)
            answer = self._changed(pending.pop(correlation), answer)
            client.write(struct.pack(">i", len(answer)) + answer)

    def _changed(self, api: int, answer: bytes) -> bytes:
        if api == _METADATA and not self.names_brokers:
            answer = _without_brokers(answer)
        if api in (_METADATA, _FIND_COORDINATOR):
            answer = answer.replace(struct.pack(">i", self._broker[1]), struct.pack(">i", self.port))
        return answer


def _without_brokers(answer: bytes) -> bytes:
    # Correlation id, no tags, throttle time; then the compact array of brokers: id, host, port, rack, no tags.
    start = 4 + 1 + 4
    count, at = _varint(answer, start)
    for _ in range(count - 1):
        host, at = _varint(answer, at + 4)
        rack, at = _varint(answer, at + host - 1 + 4)
        at += max(rack - 1, 0) + 1
    return answer[:start] + _NO_BROKERS + answer[at:]


async def _frame(stream: StreamReader) -> bytes:
    (length,) = struct.unpack(">i", await stream.readexactly(4))
    return await stream.readexactly(length)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at that index, and the index behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
