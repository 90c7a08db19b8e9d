"""`dashboard`: open the dashboard in a browser, signed in."""

import webbrowser
from typing import Annotated

import typer

from producers.cli.target import analytics_client


def dashboard(
    url: Annotated[
        str | None,
        typer.Option(
            envvar="DRAGOMAN_ANALYTICS_URL", help="Address of the analytics process; the local one by default."
        ),
    ] = None,
    no_open: Annotated[bool, typer.Option("--no-open", help="Only print the link; it may be used once.")] = False,
) -> None:
    """Open the dashboard in a browser, signed in; print the link where there is no browser."""
    link = analytics_client(url).dashboard_link()
    if no_open or not webbrowser.open(link):
        typer.echo(link)
    else:
        typer.echo("opened in the browser; dragoman dashboard --no-open prints a link instead", err=True)
