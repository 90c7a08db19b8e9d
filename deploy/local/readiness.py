"""How the supervisor knows that a process can do its job."""

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

HOST = "127.0.0.1"


@dataclass(frozen=True)
class TcpOpen:
    """It accepts connections. Kafka opens its port when it has finished starting."""

    port: int


@dataclass(frozen=True)
class AnswersPing:
    """It answers PING with PONG. While Valkey loads its file it accepts connections but answers LOADING."""

    port: int


@dataclass(frozen=True)
class AnswersOk:
    """GET of the URL answers 200."""

    url: str


@dataclass(frozen=True)
class Completes:
    """A one-shot process: it exits with 0."""


ReadyCheck = TcpOpen | AnswersPing | AnswersOk | Completes


async def is_ready(check: ReadyCheck, timeout_seconds: float = 2.0) -> bool:
    """Asks once. False for a refusal, another answer, or none in time."""
    try:
        async with asyncio.timeout(timeout_seconds):
            return await _ask(check)
    except OSError:  # TimeoutError is one
        return False


async def _ask(check: ReadyCheck) -> bool:
    match check:
        case TcpOpen(port):
            await _first_line(port, b"")
            return True
        case AnswersPing(port):
            return (await _first_line(port, b"PING\r\n")).startswith(b"+PONG")
        case AnswersOk(url):
            address = urlsplit(url)
            request = f"GET {address.path} HTTP/1.0\r\nHost: {address.netloc}\r\n\r\n"
            return b" 200 " in await _first_line(address.port or 80, request.encode())
        case Completes():
            return False


async def _first_line(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        if not request:
            return b""
        writer.write(request)
        return await reader.readline()
    finally:
        writer.close()
