"""`reference`: the settings and the metrics as pages. Asks no server and not the environment."""

import typer

from producers.cli.reference.configuration import configuration_page
from producers.cli.reference.metrics import metrics_page

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Print what can be set and what can be measured.",
)


@app.command()
def configuration() -> None:
    """Print docs/reference/configuration.md: every setting."""
    typer.echo(configuration_page(), nl=False)


@app.command()
def metrics() -> None:
    """Print docs/reference/metrics.md: every metric."""
    typer.echo(metrics_page(), nl=False)
