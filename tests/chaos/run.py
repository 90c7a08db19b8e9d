"""One run: the undisturbed reference, the chaos, the drain, the verdict."""

import shutil
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.state_files import RunInfo
from tests.chaos.answers import RESULTS, AnswerReader, OnAnswer
from tests.chaos.billing import settled_bills
from tests.chaos.committed_offsets import OffsetWatch
from tests.chaos.disks import Disks, open_disks
from tests.chaos.disturbance import Disturbance, DrainLimits, Senders
from tests.chaos.faults import kinds_for
from tests.chaos.injection import Injector, forget
from tests.chaos.ledger import Ledger
from tests.chaos.progress import Ticker
from tests.chaos.recovery import Recoveries, RecoveryWatch
from tests.chaos.report import Report
from tests.chaos.scenario import Scenario, probes, write_texts
from tests.chaos.schedule import Fault, schedule
from tests.chaos.senders import Content, HttpSender, KafkaSender
from tests.chaos.stack import ChaosStack
from tests.chaos.telling import still_shown, untold
from tests.chaos.traffic import OWN_TENANT, Channel, Request
from tests.chaos.verdict import (
    Bill,
    Verdict,
    answered_twice,
    billing_difference,
    duplicates,
    lost,
    miscopied,
    unerased,
    wrong_bills,
    wrong_texts,
    wrongly_heard,
)

_REFERENCE_LIMITS = DrainLimits(longest_seconds=300.0, quiet_seconds=60.0)
_CHAOS_LIMITS = DrainLimits(longest_seconds=180.0, quiet_seconds=90.0)
# A run with a control is expected to lose requests; waiting long for them proves nothing more.
_CONTROL_LIMITS = DrainLimits(longest_seconds=60.0, quiet_seconds=12.0)
# Long enough for an answer that must not come.
_SECOND_ANSWER_SECONDS = 3.0
_BILL_SECONDS, _TOLD_SECONDS = 60.0, 30.0
# Analytics is a little behind the answers.
_PROBE_SECONDS = 10.0


class UnfitReferenceError(Exception):
    """The undisturbed stack did not translate everything: under chaos nothing could be proved."""


@dataclass
class Evidence:
    """What a run has shown so far."""

    references: dict[str, str] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    recoveries: Recoveries = field(default_factory=Recoveries)
    bills: dict[str, Bill] = field(default_factory=dict)
    backwards: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)


class Run:
    """One run. Everything it starts has ended when `report` returns or raises."""

    def __init__(self, scenario: Scenario, ticker: Ticker) -> None:
        self._scenario = scenario
        self._ticker = ticker
        self._ledger = Ledger()
        self._stack = ChaosStack(scenario.root, scenario.control)
        self._evidence = Evidence()

    def report(self) -> Report:
        """Raises StackError if the stack does not start, UnfitReferenceError if it does not translate."""
        began = time.monotonic()
        self._stack.stop()  # left by an earlier run whose harness was killed
        shutil.rmtree(self._scenario.root, ignore_errors=True)
        disks = open_disks(self._data, self._scenario.requests)
        left: list[int] = []
        try:
            self._ticker.say("starting the stack")
            refs = write_texts(self._scenario.texts, self._data / "objects")
            self._stack.start(lambda name, state: None)
            self._observe(refs, disks)
        finally:
            left = self._stack.stop()
        return self._report(left, disks, time.monotonic() - began)

    @property
    def _data(self) -> Path:
        return self._scenario.root / "data"

    def _observe(self, refs: dict[tuple[str, str], str], disks: Disks | None) -> None:
        run, scenario = self._stack.run(), self._scenario
        kinds = kinds_for(self._stack.roles(), has_small_disks=disks is not None)
        faults = schedule(scenario.seed, scenario.kills, scenario.pace_seconds, kinds)
        content = Content({**scenario.texts, **probes(len(faults))}, refs)
        with (
            closing(self._reader(run, RESULTS, self._ledger.answer)) as reader,
            closing(self._reader(run, f"{RESULTS}.{OWN_TENANT}", self._ledger.copy)) as copies,
            closing(KafkaSender(run.kafka_bootstrap, content, self._ledger)) as kafka,
            closing(HttpSender(self._stack.client(), content, self._ledger)) as http,
        ):
            reader.start()
            copies.start()
            disturbance = Disturbance(
                self._stack, Senders(kafka, http), self._ledger, Injector(self._stack, disks), self._ticker
            )
            self._translate_undisturbed(disturbance, content)
            self._disturb(disturbance, faults)
            self._settle(run)
            self._evidence.refused = http.refused

    def _reader(self, run: RunInfo, topic: str, note: OnAnswer) -> AnswerReader:
        return AnswerReader(run.kafka_bootstrap, topic, self._data / "objects", note)

    def _translate_undisturbed(self, disturbance: Disturbance, content: Content) -> None:
        self._ticker.say(f"translating {len(content.texts)} texts undisturbed")
        for name in content.texts:
            disturbance.senders.send(_reference(name))
        disturbance.drain(_REFERENCE_LIMITS)
        for name in content.texts:
            found = self._ledger.answers.get(_reference(name).key, [])
            if not found or found[0].text is None or found[0].status != "COMPLETED":
                raise UnfitReferenceError(f"{name}: {found[0].status if found else 'no answer'}")
            self._evidence.references[name] = found[0].text
        forget(self._stack.run().redis_cache_url)

    def _disturb(self, disturbance: Disturbance, faults: list[Fault]) -> None:
        scenario, evidence = self._scenario, self._evidence
        self._ticker.say(f"chaos for {scenario.seconds:.0f} s: {len(scenario.sends)} sends, {len(faults)} faults")
        with closing(OffsetWatch(self._stack.run().kafka_bootstrap)) as offsets:
            offsets.start()
            recovery = RecoveryWatch(self._stack, self._ledger)
            longest_seconds = 0.0
            try:
                disturbance.run(scenario.sends, faults, recovery)
                disturbance.drain(_CONTROL_LIMITS if scenario.control else _CHAOS_LIMITS)
                longest_seconds = _PROBE_SECONDS
            finally:
                disturbance.injector.undo_all()
                evidence.recoveries = recovery.close(longest_seconds)
        evidence.faults = dict(disturbance.injector.counts)
        evidence.backwards = offsets.highest.backwards

    def _settle(self, run: RunInfo) -> None:
        time.sleep(_SECOND_ANSWER_SECONDS)
        self._evidence.bills = settled_bills(run, list(self._ledger.answers), _BILL_SECONDS)
        self._ticker.say(f"looking at {len(self._ledger.answers)} jobs")
        with self._stack.client() as client:
            self._evidence.untold = untold(client, self._ledger.answers.keys(), _TOLD_SECONDS)
            self._evidence.shown = still_shown(client, self._ledger.erased, _TOLD_SECONDS)

    def _report(self, left: list[int], disks: Disks | None, seconds: float) -> Report:
        violations = self._violations()
        verdict = Verdict(
            lost=len(violations["lost"]),
            duplicates=duplicates(self._ledger.answers),
            wrong_text=len(violations["wrong_text"]),
            billing_difference=billing_difference(self._ledger.answers, self._evidence.bills),
            offsets_backwards=len(violations["offsets_backwards"]),
            processes_left=len(left),
            unheard=len(violations["unheard"]),
            untold=len(violations["untold"]),
            miscopied=len(violations["miscopied"]),
            unerased=len(violations["unerased"]),
        )
        return Report(
            verdict=verdict,
            faults=self._evidence.faults,
            recoveries=self._evidence.recoveries,
            requests=len(self._ledger.expected),
            seconds=seconds,
            seed=self._scenario.seed,
            pace_seconds=self._scenario.pace_seconds,
            control=self._scenario.control or None,
            ended=self._ledger.ended(),
            left_out=[] if disks else ["full disks: only root can mount small ones"],
            evidence=violations,
            recovery_limit_seconds=self._scenario.recovery_limit_seconds,
        )

    def _violations(self) -> dict[str, list[str]]:
        """Return what broke each invariant."""
        evidence, ledger = self._evidence, self._ledger
        expected, answers = ledger.expected, ledger.answers
        return {
            "lost": lost(expected, answers),
            "duplicates": answered_twice(answers),
            "wrong_text": [
                *wrong_texts(expected, answers, evidence.references, ledger.ordered),
                *wrongly_heard(expected, ledger.heard, evidence.references, ledger.ordered),
            ],
            "unerased": sorted({*unerased(ledger.erased, answers), *evidence.shown}),
            "unheard": ledger.unheard,
            "untold": evidence.untold,
            "miscopied": miscopied(answers, ledger.copies, OWN_TENANT),
            "billing_difference": wrong_bills(answers, evidence.bills),
            "offsets_backwards": evidence.backwards,
            "http_refused": evidence.refused,
        }


def _reference(name: str) -> Request:
    return Request(f"reference-{name}", name, "standard", Channel.KAFKA)
