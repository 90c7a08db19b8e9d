"""`glossaries`: terms with the translation that a tenant wants, through the HTTP interface."""

from pathlib import Path
from typing import Annotated

import typer

from producers.cli.arguments import AsJson, Tenant, Url
from producers.cli.errors import UsageError
from producers.cli.output import lines_of, print_json
from producers.cli.target import open_api
from producers.cli.translate import To
from stream_apps.glossaries.formats import FORMATS, MEDIA_TYPES

_HEADER = ("glossary", "from", "to", "entries", "versions", "made")

Source = Annotated[str, typer.Option("--from", help="Language of the terms (BCP-47).")]
Entries = Annotated[Path, typer.Argument(metavar="FILE", help="Its entries: .csv, .tsv or .tbx.")]
NewName = Annotated[str, typer.Argument(metavar="NAME", help="A known name gets a new version.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="NAME for its newest version, or NAME@VERSION.")]
Ended = Annotated[str, typer.Argument(metavar="NAME", help="NAME for all its versions, or NAME@VERSION.")]
Written = Annotated[str, typer.Option("--format", help=f"{', '.join(FORMATS)}, or json.")]

app = typer.Typer(
    no_args_is_help=True, add_completion=False, rich_markup_mode=None, help="Make, show and delete glossaries."
)


@app.command("create")
def create(  # noqa: PLR0913, PLR0917  # one parameter per option
    name: NewName,
    file: Entries,
    source: Source,
    target: To,
    tenant: Tenant = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Make a glossary, or the next version of one, from a file; print its exact name."""
    fields = {"name": name, "source_language": source, "target_language": target}
    kinds = {form: kind for kind, form in MEDIA_TYPES.items()}
    kind = kinds.get(file.suffix.lower().lstrip("."))
    if kind is None:
        raise UsageError(f"{file} has no known ending", "name a file that ends in .csv, .tsv or .tbx")
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}", "name an existing file") from None
    with open_api(url, tenant) as api:
        made = api.make_glossary(fields, content, kind)
    if as_json:
        print_json(made)
    else:
        typer.echo(made["exact_name"])


@app.command("list")
def list_glossaries(tenant: Tenant = None, url: Url = None, as_json: AsJson = False) -> None:
    """Show the glossaries, each in its newest version."""
    with open_api(url, tenant) as api:
        found = api.glossaries()
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["exact_name"],
            one["source_language"],
            one["target_language"],
            str(one["entry_count"]),
            ", ".join(map(str, one["versions"])),
            one["created_at"],
        )
        for one in found
    ]
    typer.echo(lines_of(_HEADER, rows))


@app.command("show")
def show(name: Name, form: Written = "tsv", tenant: Tenant = None, url: Url = None) -> None:
    """Print the entries of a version."""
    with open_api(url, tenant) as api:
        typer.echo(api.glossary(name, form).rstrip("\n"))


@app.command("delete")
def delete(name: Ended, tenant: Tenant = None, url: Url = None) -> None:
    """Delete a version, or all versions of a name. What was translated with it stays."""
    with open_api(url, tenant) as api:
        api.delete_glossary(name)
    typer.echo(f"{name}: deleted", err=True)
