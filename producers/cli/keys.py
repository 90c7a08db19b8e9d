"""`keys`: API keys, for programs. The text of a key is printed once, when it is made."""

from collections.abc import Sequence
from typing import Annotated

import typer

from producers.cli.accounts import (
    AnyTenant,
    Expires,
    Name,
    OwnTenant,
    Role,
    Scopes,
    account_store,
    change_now,
    state_of,
)
from producers.cli.arguments import AsJson, parse_duration_ms, parse_future_ms
from producers.cli.errors import UsageError
from producers.cli.output import lines_of, print_json, time_text
from schemas.accounts import Credential, CredentialKind
from stream_apps.accounts.api_keys import NewKey
from stream_apps.accounts.api_keys import new_key as make_key
from stream_apps.accounts.changes import Rights, changed_rights, known_credential, new_key, revoked, rotated_key
from stream_apps.accounts.directory import Directory
from stream_apps.runtime.process import now_ms

_HEADER = ("key", "tenant", "name", "role", "scopes", "state", "made")

KeyId = Annotated[str, typer.Argument(metavar="KEY_ID", help="The middle part of a key, as `list` shows it.")]
Overlap = Annotated[str, typer.Option(help="How long the old key lives on: 0s, 30m, 1h, 7d.")]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Make, show, change, rotate and revoke API keys.",
)


@app.command("create")
def create(  # noqa: PLR0913, PLR0917  # one parameter per option
    tenant: OwnTenant = "default",
    role: Role = "member",
    scope: Scopes = None,
    expires: Expires = None,
    name: Name = "",
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, this once."""
    key, change = make_key(), change_now()
    expires_at = parse_future_ms(expires, "--expires", change.now_ms) if expires else 0
    rights = Rights(role=role, scopes=scope or (), expires_at=expires_at, name=name)
    account_store().change(lambda found: [new_key(found, tenant, key, rights, change)])
    _show_once(key, as_json)


@app.command("list")
def list_keys(tenant: AnyTenant = None, as_json: AsJson = False) -> None:
    """Show keys without their secrets, the dead ones too."""
    found = account_store().read().credentials(CredentialKind.API_KEY, tenant)
    if as_json:
        print_json([{name: value for name, value in vars(one).items() if name != "secret_hash"} for one in found])
    else:
        typer.echo(lines_of(_HEADER, [_cells(one) for one in found]))


@app.command("change")
def change_key(key_id: KeyId, scope: Scopes = None, expires: Expires = None, as_json: AsJson = False) -> None:
    """Change what a key may do, or until when."""
    if scope is None and not expires:
        raise UsageError("nothing would change", "give --scope or --expires")
    change = change_now()
    expires_at = parse_future_ms(expires, "--expires", change.now_ms) if expires else None

    def plan(found: Directory) -> Sequence[Credential]:
        old = known_credential(found, key_id, CredentialKind.API_KEY)
        rights = Rights(
            role=old.role,
            scopes=old.scopes if scope is None else scope,
            expires_at=old.expires_at if expires_at is None else expires_at,
            name=old.name,
        )
        return [changed_rights(old, rights, change)]

    account_store().change(plan)
    _tell(key_id, "changed", as_json)


@app.command("rotate")
def rotate(key_id: KeyId, overlap: Overlap = "1h", as_json: AsJson = False) -> None:
    """Make a new key with the rights of an old one, and print it; the old one lives on for the overlap."""
    key, change, overlap_ms = make_key(), change_now(), parse_duration_ms(overlap, "--overlap")

    def plan(found: Directory) -> Sequence[Credential]:
        return rotated_key(known_credential(found, key_id, CredentialKind.API_KEY), key, overlap_ms, change)

    account_store().change(plan)
    _show_once(key, as_json)


@app.command("revoke")
def revoke(key_id: KeyId, as_json: AsJson = False) -> None:
    """Revoke a key: it is refused within a second."""
    change = change_now()

    def plan(found: Directory) -> Sequence[Credential]:
        return [revoked(known_credential(found, key_id, CredentialKind.API_KEY), change)]

    account_store().change(plan)
    _tell(key_id, "revoked", as_json)


def _show_once(key: NewKey, as_json: bool) -> None:
    if as_json:
        print_json({"key_id": key.key_id, "api_key": key.text})
        return
    typer.echo(key.text)
    typer.echo("shown this once; send it as: Authorization: Bearer KEY", err=True)


def _cells(key: Credential) -> tuple[str, ...]:
    state = state_of(key.expires_at, key.revoked_at, now_ms())
    scopes = ", ".join(key.scopes) or "all of the role"
    made = time_text(key.created_at)
    return key.credential_id, key.tenant, key.name or "-", key.role, scopes, state, made


def _tell(key_id: str, what: str, as_json: bool) -> None:
    if as_json:
        print_json({"key_id": key_id})
    else:
        typer.echo(f"{key_id}: {what}", err=True)
