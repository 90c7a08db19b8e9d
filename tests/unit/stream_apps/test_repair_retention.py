"""Old texts of requests and results are deleted, and nothing else."""

import pytest

from connectors.object_store import StoredText
from schemas.errors import TransientError
from stream_apps.repair.retention import TextRetention

DAY_MS = 86_400_000
NOW_MS = 100 * DAY_MS


class Store:
    def __init__(self, ages):
        self.ages = dict(ages)
        self.deletions = []
        self.is_away = False

    def texts(self, folder):
        yield from [StoredText(f"{folder}/{ref}", NOW_MS - days * DAY_MS) for ref, days in self.ages.items()]

    def delete(self, refs):
        if self.is_away:
            raise TransientError("away")
        self.deletions.append(list(refs))
        for ref in refs:
            del self.ages[ref.removeprefix("tenants/")]


def sweep(store, keep_days=30):
    TextRetention(store, keep_days * DAY_MS, lambda: NOW_MS).turn()


def test_only_old_texts_and_files_of_requests_and_results_are_deleted():
    own = {"a/requests/1.txt": 31, "b/results/2.txt": 90, "a/jobs/0f/v1/file.docx": 31, "b/inbox/x/1.docx": 40}
    kept = {
        "a/requests/new.txt": 29,
        "a/jobs/0f/source": 29,
        "a/inbox/new.docx": 29,
        "a/texts/of-the-producer.txt": 90,
        "a/requests.txt": 90,
        "requests/results": 90,
        "stray.txt": 90,
    }
    store = Store(own | kept)
    sweep(store)
    assert store.ages == kept


def test_many_are_deleted_a_thousand_at_a_time():
    store = Store({f"a/results/{number}.txt": 40 for number in range(2500)})
    sweep(store)
    assert [len(refs) for refs in store.deletions] == [1000, 1000, 500]


def test_what_could_not_be_deleted_is_found_again():
    store = Store({"a/results/1.txt": 40})
    store.is_away = True
    with pytest.raises(TransientError):
        sweep(store)
    store.is_away = False
    sweep(store)
    assert store.ages == {}


def test_a_tenant_that_chose_fewer_days_has_them_and_one_that_chose_more_has_the_platforms():
    ages = {
        "short/results/1": 3,
        "short/jobs/1/a": 1,
        "long/results/1": 29,
        "long/results/2": 31,
        "b/results/1": 3,
    }
    store = Store(ages)
    days = {"short": 2, "long": 60, "b": 0}
    TextRetention(store, 30 * DAY_MS, lambda: NOW_MS, lambda: days).turn()
    assert store.ages.keys() == {"short/jobs/1/a", "long/results/1", "b/results/1"}


def test_where_the_platform_keeps_all_for_ever_a_tenants_days_count():
    store = Store({"short/results/1": 3, "b/results/1": 900})
    TextRetention(store, 0, lambda: NOW_MS, lambda: {"short": 2}).turn()
    assert store.ages.keys() == {"b/results/1"}
