import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from connectors.formats.protocol import Options
from connectors.formats.sandbox import Sandbox
from connectors.formats.settings import FormatSettings
from schemas.errors import PermanentError

COMMAND = (sys.executable, "-E", "-s", str(Path(__file__).parents[3] / "formats" / "hostile_template.py"))
SETTINGS = FormatSettings(memory_mb=400, cpu_seconds=1, wall_seconds=3, output_mb=5)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    with Sandbox(SETTINGS, tmp_path_factory.mktemp("jobs"), COMMAND) as one:
        yield one


def done(sandbox: Sandbox, folder: Path, deed: str) -> str:
    source = folder / "a.hostile"
    source.write_text(deed)
    return sandbox.extract(source, source.name, "", Options()).extraction.units[0].text


def refusal(sandbox: Sandbox, folder: Path, deed: str) -> PermanentError:
    with pytest.raises(PermanentError) as raised:
        done(sandbox, folder, deed)
    return raised.value


def test_a_document_goes_through_and_comes_back(sandbox, tmp_path):
    source, output = tmp_path / "a.txt", tmp_path / "b.txt"
    source.write_text("Hello.\x1e\n\nBye.\n")
    found = sandbox.extract(source, "a.txt", "", Options())
    units = [unit.text.upper() for unit in found.extraction.units]
    sandbox.merge(found.format, source, found.extraction.skeleton, units, output, Options())
    assert output.read_text() == "HELLO.\x1e\n\nBYE.\n"


@pytest.mark.parametrize(
    ("deed", "told"),
    [
        ("eat", "400 MB (DRAGOMAN_FORMATS_MEMORY_MB)"),
        ("spin", "DRAGOMAN_FORMATS_WALL_SECONDS"),
        ("crash", "two processes"),
        ("leave", "two processes"),
    ],
)
def test_what_kills_two_children_is_too_costly_and_says_of_what(sandbox, tmp_path, deed, told):
    error = refusal(sandbox, tmp_path, deed)
    assert error.cause == "document_too_costly"
    assert told in (error.limit or "")


def test_a_child_that_waits_is_ended_by_the_clock(tmp_path):
    quick = SETTINGS.model_copy(update={"wall_seconds": 0.3})
    with Sandbox(quick, tmp_path, COMMAND) as sandbox:
        assert "0.3 s" in (refusal(sandbox, tmp_path, "sleep").limit or "")


def test_what_a_child_started_ends_with_it(tmp_path):
    quick = SETTINGS.model_copy(update={"wall_seconds": 0.5})
    with Sandbox(quick, tmp_path, COMMAND) as sandbox:
        refusal(sandbox, tmp_path, "orphan")
    until = time.monotonic() + 10
    while _working_in(tmp_path) and time.monotonic() < until:
        time.sleep(0.05)
    assert _working_in(tmp_path) == []


def test_an_output_beyond_the_limit_is_refused(sandbox, tmp_path):
    source = tmp_path / "a.hostile"
    source.write_text("x")
    with pytest.raises(PermanentError, match="becomes too large"):
        sandbox.merge("hostile", source, b"", [], tmp_path / "out", Options())


def test_a_filter_that_fails_is_told_without_the_documents_words(sandbox, tmp_path):
    error = refusal(sandbox, tmp_path, "fail")
    assert error.cause == "malformed_document"
    assert "KeyError in _fail, hostile_template.py" in error.message
    assert "own words" not in error.message


def test_a_refusal_comes_out_as_it_was(sandbox, tmp_path):
    error = refusal(sandbox, tmp_path, "refuse")
    assert (error.cause, error.message, error.field, error.limit, error.cure) == (
        "no_text",
        "nothing",
        "content_ref",
        "1",
        "send more",
    )


def test_a_child_has_no_environment_a_session_and_a_folder_of_its_own(sandbox, tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET", "1")
    assert "SECRET" not in done(sandbox, tmp_path, "environment")
    assert done(sandbox, tmp_path, "session") == "True"
    assert len(done(sandbox, tmp_path, "folder").split(",")) == 1


def test_a_child_reaches_no_network(sandbox, tmp_path):
    # In a process of its own: this one would lose its network, too.
    probe = "from connectors.formats.sandbox_child import leave_network as f; print(f())"
    if subprocess.run([sys.executable, "-c", probe], capture_output=True, check=True).stdout.strip() != b"True":
        pytest.skip("the kernel lets no user have a network of one's own")
    assert done(sandbox, tmp_path, "connect") == "Network is unreachable"


def test_a_killed_template_is_started_again(tmp_path):
    with Sandbox(SETTINGS, tmp_path, COMMAND) as sandbox:
        done(sandbox, tmp_path, "session")
        assert sandbox._template
        sandbox._template.kill()
        assert done(sandbox, tmp_path, "session") == "True"


def test_a_template_that_was_killed_with_an_order_on_its_way_is_started_again(tmp_path):
    with Sandbox(SETTINGS, tmp_path, COMMAND) as sandbox:
        done(sandbox, tmp_path, "session")
        template = sandbox._template
        assert template
        assert template.stdin
        template.stdin.write(b"not sent yet")
        template.kill()
        template.wait()
        assert done(sandbox, tmp_path, "session") == "True"


def test_the_template_ends_with_its_owner_even_amid_a_document(tmp_path):
    template = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={})
    assert template.stdin
    assert template.stdout
    source = tmp_path / "a.hostile"
    source.write_text("sleep")
    order = {
        "folder": str(tmp_path),
        "bounds": {"memory_mb": 400, "cpu_seconds": 60, "wall_seconds": 60, "output_mb": 1},
        "job": {
            "verb": "extract",
            "source": str(source),
            "name": "a.hostile",
            "media_type": "",
            "options": {"limits": {}},
        },
    }
    template.stdin.write(json.dumps(order).encode() + b"\n")
    template.stdin.flush()
    time.sleep(0.2)
    template.stdin.close()
    assert template.wait(10) == 0
    template.stdout.close()


def test_no_job_leaves_anything_in_the_folder(sandbox, tmp_path_factory):
    source = tmp_path_factory.mktemp("source")
    refusal(sandbox, source, "fail")
    assert sandbox._folder
    assert os.listdir(sandbox._folder) == []


def _working_in(folder: Path) -> list[str]:
    """List the processes whose folder is below this one, also where that is deleted."""
    return [process.name for process in Path("/proc").iterdir() if _folder_of(process).startswith(str(folder))]


def _folder_of(process: Path) -> str:
    try:
        return os.readlink(process / "cwd")
    except OSError:
        return ""
