"""Rules of Prometheus: each metric exists, promtool tests each rule, each alert names the page with its cure."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # no stubs are installed

from connectors.telemetry.metric_index import COUNTED

CHECKOUT = Path(__file__).parents[3]
FOLDER = CHECKOUT / "deploy" / "prometheus"
# Of Prometheus itself, of its client library and of NVIDIA's exporter.
OTHERS = {"up", "process_start_time_seconds", "DCGM_FI_DEV_GPU_UTIL"}


def rules(file: str) -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / file).read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


_NAME = re.compile(r"(?<![\w:])(?:\w+:dragoman\w*:\w+|dragoman_\w+|DCGM_\w+|up\b|process_\w+)")

RECORDS, ALERTS = rules("recording_rules.yml"), rules("alert_rules.yml")
TESTS = [test for file in sorted(FOLDER.glob("*.test.yml")) for test in yaml.safe_load(file.read_text())["tests"]]


def exposed() -> set[str]:
    """The names under which our metrics are scraped."""
    metrics = [metric for found in COUNTED.values() for metric in found]
    return {sample for metric in metrics for sample in _samples(metric)}


def _samples(metric: Any) -> set[str]:
    name = next(iter(metric.describe())).name
    endings = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}.get(metric._type, ("",))
    return {f"{name}{ending}" for ending in endings}


@pytest.mark.parametrize("rule", [*RECORDS, *ALERTS], ids=lambda rule: rule.get("record") or rule["alert"])
def test_a_rule_asks_for_metrics_that_exist_and_for_records_that_are_made(rule):
    asked = set(
        re.findall(r"(?<![\w:])(?:\w+:dragoman\w*:\w+|dragoman_\w+|DCGM_\w+|up\b|process_\w+)", rule["expr"])
    )
    known = exposed() | OTHERS | {record["record"] for record in RECORDS}
    assert asked
    assert asked - known == set()


def test_every_alert_fires_in_a_test_and_is_silent_in_another_moment():
    checks = [check for test in TESTS for check in test.get("alert_rule_test", ())]
    names = {alert["alert"] for alert in ALERTS}
    assert {check["alertname"] for check in checks if check["exp_alerts"]} == names
    silent = {check["alertname"] for check in checks if not check["exp_alerts"]}
    # Silent for another label of the same test: see the blocks.
    assert names - silent <= {"LatencyHigh"}


def test_every_recording_rule_is_asked_for_in_a_test():
    asked = " ".join(check["expr"] for test in TESTS for check in test.get("promql_expr_test", ()))
    assert {record["record"] for record in RECORDS if record["record"] not in asked} == set()


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_has_a_severity_a_sentence_and_a_page(alert):
    assert alert["labels"]["severity"] in ("critical", "warning", "info")
    assert alert["annotations"]["summary"].endswith(".")
    assert (CHECKOUT / alert["annotations"]["page"]).is_file()


def test_promtool_finds_every_rule_sound_and_passes_its_tests():
    promtool = shutil.which("promtool")
    if promtool is None:
        assert not os.environ.get("CI"), "promtool is missing: apt-get install prometheus"
        pytest.skip("promtool is missing: apt-get install prometheus")
    tests = [file.name for file in FOLDER.glob("*.test.yml")]
    for command in (["check", "config", "prometheus.yml"], ["test", "rules", *tests]):
        done = subprocess.run([promtool, *command], cwd=FOLDER, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
