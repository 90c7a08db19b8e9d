"""`users`: people who log in with an e-mail address and a password."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated

import typer

from producers.cli.accounts import (
    AnyTenant,
    Name,
    OwnTenant,
    Role,
    account_store,
    change_now,
    read_password,
    state_of,
)
from producers.cli.arguments import AsJson
from producers.cli.output import lines_of, print_json, time_text
from schemas.accounts import Credential, CredentialKind
from stream_apps.accounts.changes import (
    Change,
    Login,
    Rights,
    changed_rights,
    known_credential,
    new_user,
    revoked,
    with_password,
)
from stream_apps.accounts.directory import Directory
from stream_apps.accounts.passwords import hashed
from stream_apps.runtime.process import now_ms

ChangeUser = Callable[[Credential], Credential]

_HEADER = ("e-mail", "tenant", "role", "state", "made")

Email = Annotated[str, typer.Argument(metavar="EMAIL")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Make, show, change and remove people who log in.",
)


@app.command("create")
def create(  # noqa: PLR0913, PLR0917  # one parameter per option
    email: Email,
    tenant: OwnTenant = "default",
    role: Role = "member",
    name: Name = "",
    password_stdin: FromStdin = False,
    as_json: AsJson = False,
) -> None:
    """Make a user; asks for the password."""
    login = Login(tenant=tenant, email=email, secret_hash=hashed(read_password(from_stdin=password_stdin)))
    rights, change = Rights(role=role, name=name), change_now()
    account_store().change(lambda found: [new_user(found, login, rights, change)])
    _tell(email, "made", as_json)


@app.command("list")
def list_users(tenant: AnyTenant = None, as_json: AsJson = False) -> None:
    """Show users, without their passwords."""
    found = account_store().read().credentials(CredentialKind.PASSWORD, tenant)
    if as_json:
        print_json([_shown(one) for one in found])
    else:
        typer.echo(lines_of(_HEADER, [_cells(one) for one in found]))


@app.command("password")
def set_password(email: Email, password_stdin: FromStdin = False, as_json: AsJson = False) -> None:
    """Set another password; ends all sessions of the user. A user who was disabled may log in again."""
    secret_hash, change = hashed(read_password(from_stdin=password_stdin)), change_now()
    _change(email, lambda user: with_password(user, secret_hash, change))
    _tell(email, "has a new password", as_json)


@app.command("role")
def set_role(email: Email, role: Annotated[str, typer.Argument(metavar="ROLE")], as_json: AsJson = False) -> None:
    """Give a user another role."""
    change = change_now()
    _change(email, lambda user: _with_role(user, role, change))
    _tell(email, f"is {role} now", as_json)


@app.command("disable")
def disable(email: Email, as_json: AsJson = False) -> None:
    """Let a user not log in any more, and end all their sessions."""
    change = change_now()
    _change(email, lambda user: revoked(user, change))
    _tell(email, "disabled", as_json)


def _change(email: str, changed: ChangeUser) -> None:
    def plan(found: Directory) -> Sequence[Credential]:
        return [changed(known_credential(found, email, CredentialKind.PASSWORD))]

    account_store().change(plan)


def _with_role(user: Credential, role: str, change: Change) -> Credential:
    # Scopes narrowed another role.
    rights = Rights(role=role, expires_at=user.expires_at, name=user.name)
    return changed_rights(replace(user, scopes=()), rights, change)


def _cells(user: Credential) -> tuple[str, ...]:
    state = state_of(user.expires_at, user.revoked_at, now_ms())
    return user.login, user.tenant, user.role, state, time_text(user.created_at)


def _shown(user: Credential) -> dict[str, object]:
    return {name: value for name, value in vars(user).items() if name != "secret_hash"}


def _tell(email: str, what: str, as_json: bool) -> None:
    if as_json:
        print_json({"email": email})
    else:
        typer.echo(f"{email}: {what}", err=True)
