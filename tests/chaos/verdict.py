"""Check the invariants: the answers of a run against the reference translations and the bills. Pure.

Requests are named by their keys, `tenant/request_id`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from tests.chaos.ledger import Answer


@dataclass(frozen=True)
class Bill:
    """What ClickHouse holds of one request."""

    rows: int
    words: int


@dataclass(frozen=True)
class Verdict:
    """Violations of each invariant; every number must be 0. `billing_difference` in words.

    `miscopied`: requests whose copies, for the tenant that has a topic of its own, are not what their results are.
    `unheard`: callers who waited in vain although the answer was there. `untold`: answers that HTTP does not show
    in the end. `unerased`: requests whose erasure was accepted and whose text, or answer without a mark, is there.
    """

    lost: int
    duplicates: int
    wrong_text: int
    billing_difference: int
    offsets_backwards: int
    processes_left: int
    unheard: int = 0
    untold: int = 0
    miscopied: int = 0
    unerased: int = 0

    @property
    def is_good(self) -> bool:
        """Return whether every number is 0."""
        return not any(asdict(self).values())


def lost(expected: Mapping[str, str], answers: Mapping[str, Sequence[Answer]]) -> list[str]:
    """Return the accepted requests without an answer."""
    return [key for key in expected if not answers.get(key)]


def duplicates(answers: Mapping[str, Sequence[Answer]]) -> int:
    """Count the answers beyond the first of each request; an erasure writes the answer again."""
    return sum(len(list(_given(found))) - 1 for found in answers.values())


def answered_twice(answers: Mapping[str, Sequence[Answer]]) -> list[str]:
    """Return the requests with more than one answer."""
    return [key for key, found in answers.items() if duplicates({key: found})]


def wrong_texts(
    expected: Mapping[str, str],
    answers: Mapping[str, Sequence[Answer]],
    references: Mapping[str, str],
    ordered: Collection[str] = (),
) -> list[str]:
    """Return requests with an answer that is incomplete or differs from that of the undisturbed stack.

    One whose end was `ordered` may also be CANCELLED, without a text.
    """
    return [
        key
        for key, reference in expected.items()
        for answer in _given(answers.get(key, ()))
        if (answer.status, answer.text) != ("COMPLETED", references[reference])
        and not (key in ordered and (answer.status, answer.text) == ("CANCELLED", None))
    ]


def wrongly_heard(
    expected: Mapping[str, str],
    heard: Mapping[str, str | None],
    references: Mapping[str, str],
    ordered: Collection[str] = (),
) -> list[str]:
    """Return requests whose caller waited and got another text than that of the undisturbed stack."""
    return [
        key
        for key, text in heard.items()
        if key in expected and text != references[expected[key]] and not (key in ordered and text is None)
    ]


def unerased(erased: Collection[str], answers: Mapping[str, Sequence[Answer]]) -> list[str]:
    """Return the requests whose erasure was accepted and whose newest answer is not one without a text."""
    return [key for key in erased if not _is_blank(answers.get(key, ()))]


def _is_blank(found: Sequence[Answer]) -> bool:
    return bool(found) and found[-1].is_erased and found[-1].text is None


def _given(found: Sequence[Answer]) -> Iterator[Answer]:
    """Yield the answers without those that only erase an earlier one."""
    return (answer for number, answer in enumerate(found) if number == 0 or not answer.is_erased)


def miscopied(
    answers: Mapping[str, Sequence[Answer]], copies: Mapping[str, Sequence[Answer]], tenant: str
) -> list[str]:
    """Return requests whose copies differ from their results: all of that tenant have them, and nobody else."""
    due = {key: found for key, found in answers.items() if key.startswith(f"{tenant}/")}
    keys = sorted(due.keys() | copies.keys())
    return [key for key in keys if _shown(due.get(key, ())) != _shown(copies.get(key, ()))]


def _shown(found: Sequence[Answer]) -> list[Answer]:
    return [replace(answer, at=0.0) for answer in found]


def billing_difference(answers: Mapping[str, Sequence[Answer]], bills: Mapping[str, Bill]) -> int:
    """Count words billed too much or too little. Right is one row per request with the words of its result."""
    return sum(_difference(answers.get(key), bills.get(key)) for key in answers.keys() | bills.keys())


def wrong_bills(answers: Mapping[str, Sequence[Answer]], bills: Mapping[str, Bill]) -> list[str]:
    """Return the requests that make up the difference."""
    return [
        f"{key}: {bills.get(key)}"
        for key in sorted(answers.keys() | bills.keys())
        if _difference(answers.get(key), bills.get(key))
    ]


def _difference(found: Sequence[Answer] | None, bill: Bill | None) -> int:
    due = found[0].source_words if found else 0
    if bill is None:
        return due
    # A second row is wrong even where it bills no words.
    return abs(bill.words - due) + (bill.rows != 1)
