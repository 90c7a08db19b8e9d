"""The pages of settings and metrics are made from the code, and say what the code does."""

import ast
import re
from functools import cache
from pathlib import Path

import grimp
import pytest
from pydantic import BaseModel, Field
from typer.testing import CliRunner

from connectors.settings import PREFIX, ProcessSettings, Section
from connectors.telemetry import metrics
from connectors.telemetry.metric_index import COUNTED, describe
from connectors.telemetry.metrics import Metric
from producers.cli.main import app
from producers.cli.reference import (
    PROCESSES,
    SECTION_READERS,
    classes_by_reader,
    configuration_page,
    metrics_page,
    prefix_of,
    readers_by_prefix,
)
from producers.cli.setting_cells import bounds_of, default_of, is_number, type_of, unit_of

ROOT = Path(__file__).parents[3]
SOURCES = [
    path
    for folder in ("schemas", "connectors", "stream_apps", "inference_workers", "producers", "deploy")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
PAGES = [ROOT / "README.md", ROOT / "docker-compose.yml", *sorted((ROOT / "docs").rglob("*.md"))]
# How a process is known to belong to a stack; nobody sets it.
INNER_VARIABLES = {"DRAGOMAN_STACK_ROOT"}
MAINS = {
    "http": "producers.http.main",
    "intake": "stream_apps.intake.main",
    "worker": "inference_workers.main",
    "assembly": "stream_apps.assembly.main",
    "extraction": "stream_apps.documents.extraction.main",
    "merging": "stream_apps.documents.merging.main",
    "repair": "stream_apps.repair.main",
    "analytics": "stream_apps.usage_sink.main",
    "webhooks": "stream_apps.webhooks.main",
    "autoscaler": "deploy.autoscaler.main",
}
# The sink takes the length of its pauses from there and has a loop of its own.
UNCOUNTED = {"analytics": "stream_apps.runtime.transactional_processor"}
SETTINGS = sorted({one for classes in classes_by_reader().values() for one in classes}, key=prefix_of)
FIELDS = [
    pytest.param(name, field, id=f"{prefix_of(settings)}{name}".upper())
    for settings in SETTINGS
    for name, field in settings.model_fields.items()
]


@pytest.mark.parametrize("page", ["configuration", "metrics"])
def test_the_page_is_up_to_date(page):
    ran = CliRunner().invoke(app, ["reference", page])
    stored = (ROOT / "docs" / "reference" / f"{page}.md").read_text()
    assert stored == ran.stdout, "make it again: make reference"


def test_the_pages_do_not_depend_on_the_environment(monkeypatch):
    before = configuration_page()
    monkeypatch.setenv("DRAGOMAN_KAFKA_PARTITIONS", "12")
    monkeypatch.setenv("DRAGOMAN_KAFKA_UNKNOWN", "12")
    assert configuration_page() == before


def test_every_settings_class_of_the_code_is_on_the_page():
    classes = [node for path in SOURCES for node in ast.walk(parsed(path)) if isinstance(node, ast.ClassDef)]
    defined = {node.name for node in classes if is_settings(node)}
    assert defined - {Section.__name__, ProcessSettings.__name__} == {
        *(one.__name__ for one in SETTINGS if one is not ProcessSettings),
        *(settings.__name__ for settings in PROCESSES.values()),
    }


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_every_setting_says_what_it_means(name, field):
    assert field.description
    assert field.description.endswith((".", "///"))


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_every_number_has_a_smallest_value(name, field):
    assert not is_number(field.annotation) or bounds_of(field).startswith(">")


def test_the_command_line_builds_the_sections_that_the_page_says():
    sections = {one.__name__ for one in SETTINGS}
    calls = [
        node.func.id
        for path in SOURCES
        if path.is_relative_to(ROOT / "producers" / "cli")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    assert sections & set(calls) == {one.__name__ for one in SECTION_READERS["command line"]}


def test_every_variable_is_under_the_prefix_of_the_platform():
    assert all(prefix.startswith(PREFIX) for prefix in readers_by_prefix())


@cache
def known_variables():
    return set(re.findall(r"`(DRAGOMAN_[A-Z_]+)", configuration_page()))


@pytest.mark.parametrize("path", [*SOURCES, *PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_every_variable_that_is_named_exists(path):
    named = set(re.findall(r"DRAGOMAN_[A-Z_]*[A-Z]\b", path.read_text())) - INNER_VARIABLES
    assert named <= known_variables()


class Example(BaseModel):
    wait_seconds: float = Field(default=1.5, gt=0, le=9)
    rows_per_second: int = 7
    port: int = 80
    max_options: int = 16
    folder: Path | None = None
    names: tuple[str, ...] = ("a",)
    text: str = ""
    is_on: bool = True


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("wait_seconds", ("float", "`1.5`", "s", "> 0, <= 9")),
        ("rows_per_second", ("int", "`7`", "rows/s", "")),
        ("port", ("int", "`80`", "", "")),
        ("max_options", ("int", "`16`", "count", "")),
        ("folder", ("path", "not set", "", "")),
        ("names", ("JSON list of str", '`["a"]`', "", "")),
        ("text", ("str", "not set", "", "")),
        ("is_on", ("bool", "`true`", "", "")),
    ],
)
def test_a_setting_is_shown_as_one_writes_it(name, cells):
    field = Example.model_fields[name]
    assert (
        type_of(field.annotation),
        default_of(field),
        unit_of(f"DRAGOMAN_REQUESTS_{name.upper()}", field.annotation),
        bounds_of(field),
    ) == cells


def test_every_metric_is_described_once():
    defined = [metric for metric in vars(metrics).values() if isinstance(metric, Metric)]
    described = [metric for found in COUNTED.values() for metric in found]
    assert sorted(map(id, described)) == sorted(map(id, defined))
    assert all(f"`{describe(metric).name}`" in metrics_page() for metric in defined)


def test_a_metric_is_counted_by_the_processes_that_import_what_counts_it():
    graph = grimp.build_graph("connectors", "stream_apps", "inference_workers", "producers", "deploy")
    reached = {process: graph.find_upstream_modules(main) | {main} for process, main in MAINS.items()}
    users = users_of_metrics()
    for processes, found in COUNTED.items():
        for metric in found:
            modules = users[name_of(metric)]
            counting = {process for process in MAINS if (reached[process] - {UNCOUNTED.get(process)}) & modules}
            assert counting == set(processes), metric


def users_of_metrics():
    """Name in `metrics` -> modules that use it."""
    users: dict[str, set[str]] = {}
    for path in SOURCES:
        if path.parent.name == "telemetry":
            continue
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        imported = {
            alias.name
            for node in ast.walk(parsed(path))
            if isinstance(node, ast.ImportFrom) and node.module == metrics.__name__
            for alias in node.names
        }
        attributes = {
            node.attr
            for node in ast.walk(parsed(path))
            if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "metrics"
        }
        for name in imported | attributes:
            users.setdefault(name, set()).add(module)
    return users


def name_of(metric):
    return next(name for name, value in vars(metrics).items() if value is metric)


def is_settings(node):
    bases = {"Section", "ProcessSettings", "FaustSettings", "KafkaSettings", "BaseSettings"}
    bases |= {"AssemblySettings", "AssemblyLimits"}
    return any(getattr(base, "id", "") in bases for base in node.bases)


def parsed(path):
    return ast.parse(path.read_text())
