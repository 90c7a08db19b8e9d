"""Options that several commands share."""

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Url = Annotated[str | None, typer.Option(help="Of the HTTP interface; the local platform's by default.")]
