"""Speak HTTP/1.1 over plain sockets: ten thousand connections in one process, and clients that cost little."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx


@dataclass
class Answer:
    """The status of an answer; its body comes as lines, or whole."""

    status: int
    headers: Mapping[str, str]
    reader: asyncio.StreamReader

    async def body(self) -> bytes:
        """Read a body of known length."""
        return await self.reader.readexactly(int(self.headers.get("content-length", 0)))

    async def lines(self) -> AsyncIterator[str]:
        """Yield the lines of a chunked body, those of its framing among them, until it ends."""
        while line := await self.reader.readline():
            yield line.decode(errors="replace").rstrip("\r\n")


@asynccontextmanager
async def connected(url: httpx.URL) -> AsyncIterator[Callable[[bytes], Awaitable[Answer]]]:
    """Open a connection; yield what sends a request on it. Each body is read before the next request is sent.

    Raises OSError or EOFError where the server closes it.
    """
    reader, writer = await asyncio.open_connection(url.host, url.port)

    async def ask(sent: bytes) -> Answer:
        writer.write(sent)
        return await answer(reader)

    try:
        yield ask
    finally:
        writer.close()


def request(method: str, path: str, url: httpx.URL, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """Return the bytes of a request."""
    shown = {"host": f"{url.host}:{url.port}", **headers, "content-length": str(len(body))}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in shown.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def answer(reader: asyncio.StreamReader) -> Answer:
    """Read the head of an answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    return Answer(int(first.split()[1]), dict(_headers(lines)), reader)


def _headers(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, _, value = line.partition(":")
        yield name.lower(), value.strip()
