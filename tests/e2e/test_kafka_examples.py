"""The examples in Java, Go and Node ask by Kafka and read their results, each where its tool chain is there.

Each is built as its first lines say, from the registry of its language.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KAFKA = ROOT / "examples" / "kafka"
TEXT = "Good morning, my friend."
BUILD_SECONDS, RUN_SECONDS = 500, 120

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def tool(name):
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not on this machine")


def said_by(*command, cwd=ROOT, timeout=RUN_SECONDS):
    ran = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def check(said):
    assert said.startswith("COMPLETED ")
    assert "amigo" in said


def test_the_example_in_java_comes_back_translated(stack, tmp_path):
    tool("mvn")
    copy = f"-DoutputDirectory={tmp_path}"
    said_by("mvn", "-q", "-B", "-f", KAFKA / "java", "dependency:copy-dependencies", copy, timeout=BUILD_SECONDS)
    program = KAFKA / "java" / "Request.java"
    check(said_by("java", "-cp", f"{tmp_path}/*", program, stack.kafka_bootstrap, TEXT))


def test_the_example_in_go_comes_back_translated(stack, tmp_path):
    tool("go")
    said_by("go", "build", "-o", tmp_path / "request", ".", cwd=KAFKA / "go", timeout=BUILD_SECONDS)
    check(said_by(tmp_path / "request", stack.kafka_bootstrap, TEXT, cwd=KAFKA / "go"))


def test_the_example_in_node_comes_back_translated(stack, tmp_path):
    tool("npm")
    folder = KAFKA / "node"
    install = ("npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--prefix", folder)
    said_by(*install, timeout=BUILD_SECONDS)
    check(said_by("node", folder / "request.mjs", stack.kafka_bootstrap, TEXT))
