"""A budget on a real stack: used up, it refuses by HTTP and on Kafka by the same numbers, and others go on."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from deploy.local.main import down, up
from deploy.local.settings import StackSettings
from tests.outside import Outside
from tests.servers import LIBRARIES
from tests.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

# Ten words of standard priority at the example's 10 dollars a million.
BUDGETS = {"default": {"dollars": 0.0001, "stops": True}, "rich": {"dollars": 1000, "stops": True}}
TEXT = "The small house is green and stands in a large garden."


@pytest.fixture(scope="module")
def stack_with_budgets(tmp_path_factory) -> Iterator[Stack]:
    root = tmp_path_factory.mktemp("budgets")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DRAGOMAN_BUDGETS_MONTHLY", json.dumps(BUDGETS))
        environment.setenv("DRAGOMAN_BUDGETS_MEASURE_SECONDS", "0.5")
        environment.setenv("DRAGOMAN_BUDGETS_READ_SECONDS", "0.5")
        settings = StackSettings(root=root, kafka_libraries=LIBRARIES, workers=1)
        up(settings, detach=True, on_progress=lambda *_: None)
    yield Stack(root)
    down(root)


def posted(stack: Stack) -> httpx.Response:
    body = {"text": TEXT, "source_language": "en", "target_language": "pt"}
    return httpx.post(f"{stack.http_url}/api/v1/translations", json=body, headers=stack.headers, timeout=30)


def test_a_used_up_budget_refuses_by_http_and_on_kafka_and_leaves_others_alone(stack_with_budgets):
    stack = stack_with_budgets
    outside = Outside(stack.kafka_bootstrap)
    results = outside.tail("translation.results")
    letters = outside.tail("translation.dead_letters")
    assert posted(stack).status_code == 202

    end = time.monotonic() + 60
    while (answer := posted(stack)).status_code == 202:
        assert time.monotonic() < end, "the budget stops nobody"
        time.sleep(0.5)
    problem = answer.json()
    assert answer.status_code == 402
    assert problem["type"] == "urn:dragoman:problem:budget_used_up"
    assert problem["limit"] == "0.0001 US dollars a month (UTC)"

    refused = outside.send_request("standard", tenant="default", text=TEXT)
    served = outside.send_request("standard", tenant="rich", text=TEXT)
    found = results.until(lambda read: {refused, served} <= {one["request_id"] for one in read})
    by_id = {one["request_id"]: one for one in found}
    assert (by_id[refused]["status"], by_id[refused]["error_cause"]) == ("FAILED", "budget_used_up")
    assert by_id[served]["status"] == "COMPLETED"
    assert letters.until(lambda read: any(one["request_id"] == refused for one in read))

    command = (sys.executable, "-m", "producers.cli.main", "cost", "budgets", "--json")
    shown = subprocess.run(
        command,
        env={"DRAGOMAN_LOCAL_ROOT": str(stack.root), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    spending = json.loads(shown.stdout)
    assert float(spending["default"]["spent"]) >= 0.0001
    assert spending["rich"]["stops"] is True
