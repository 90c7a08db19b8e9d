"""What `tenants`, `users` and `keys` share: where the accounts are, who changes them, and the times they print."""

import getpass
import os
import sys
from typing import Annotated

import typer

from connectors.kafka.schema_registry import open_codec
from producers.cli.errors import UsageError
from producers.cli.output import time_text
from producers.cli.target import kafka_settings
from stream_apps.accounts.changes import Change
from stream_apps.accounts.store import KafkaAccounts
from stream_apps.runtime.process import now_ms

OwnTenant = Annotated[str, typer.Option("--tenant", help="Whose it is.")]
AnyTenant = Annotated[str | None, typer.Option("--tenant", help="Of this tenant only.")]
Role = Annotated[str, typer.Option(help="viewer, member, admin or operator.")]
Scopes = Annotated[
    list[str] | None, typer.Option("--scope", help="Narrow the role to this scope; may be repeated.")
]
Name = Annotated[str, typer.Option(help="For people.")]
Expires = Annotated[str | None, typer.Option(help="When it dies: a time ahead (90d, 12h) or ISO 8601.")]


def account_store() -> KafkaAccounts:
    """Return the accounts of the platform that the environment names, else of the local one."""
    settings = kafka_settings()
    return KafkaAccounts(settings, open_codec(settings))


def change_now() -> Change:
    """Return who changes something, and that it is now."""
    return Change(f"cli:{_user()}", now_ms())


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container the id of the user may have no name
        return f"uid {os.getuid()}"


def read_password(*, from_stdin: bool) -> str:
    """Ask for a password twice, or read it from standard input; never from the command line, which others see."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask for a password", "send it with --password-stdin")
    password: str = typer.prompt("password", hide_input=True, confirmation_prompt=True, err=True)
    return password


def state_of(expires_at: int, revoked_at: int, now_ms: int) -> str:
    """Say whether a credential lives, and how long."""
    if revoked_at:
        return f"revoked {time_text(revoked_at)}"
    if not expires_at:
        return "alive"
    return f"{'expired' if expires_at <= now_ms else 'alive until'} {time_text(expires_at)}"
