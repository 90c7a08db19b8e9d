"""docs/books.md says what is there: its questions run, its tables and views exist."""

import re
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from connectors.clickhouse.database import Database
from stream_apps.usage_sink.query_check import TABLES
from stream_apps.usage_sink.query_server import Access, QueryServer
from stream_apps.usage_sink.settings import QueryLimits

PAGE = (Path(__file__).parents[2] / "docs" / "books.md").read_text()
QUESTIONS = re.findall(r"```sql\n(.*?)```", PAGE, flags=re.DOTALL)
TOKEN = "a token of this test"


@pytest.fixture(scope="module")
def url(database: Database):
    with closing(QueryServer([database], Access("127.0.0.1", 0, TOKEN), QueryLimits(10, 1000))) as server:
        yield f"http://127.0.0.1:{server.port}/?default_format=JSON"


@pytest.mark.parametrize("sql", QUESTIONS)
def test_each_question_is_answered(url, sql):
    answer = httpx.post(url, content=sql, headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200, answer.text


def test_the_page_names_every_table_and_view_and_asks_three_questions():
    assert {name for name in TABLES if f"`{name}`" not in PAGE} == set()
    assert len(QUESTIONS) == 3
