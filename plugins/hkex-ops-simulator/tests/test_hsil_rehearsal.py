"""22 January 2010 rehearsed: the old design fails, the new one does not, on the same bytes.

The new one in two acts: the day as it would have been, and as it was, worked with these tools.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from datetime import time
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from rich.console import Console

from hkex_ops.cli.main import run
from hkex_ops.cli.text import say
from hkex_ops.config.shipped import load_calendar, load_incidents
from hkex_ops.flows.evidence import verify_evidence
from hkex_ops.model import parse_tick
from hkex_ops.omd.capture import CaptureReader
from hkex_ops.rundown import StepState
from hkex_ops_simulator.hsil.new_design import NewDesign
from hkex_ops_simulator.hsil.old_design import OldDesign
from hkex_ops_simulator.hsil.replayed import Replayed
from hkex_ops_simulator.hsil.staging import Make, rehearse_incident
from hkex_ops_simulator.screen import Screen

OLD_STEPS = {
    "pre-opening systems-up": "passed",
    "pre-opening out-of-sequence-record": "passed",
    "pre-opening matching-indicator": "failed",
    "pre-opening opening-index": "failed",
    "continuous-trading first-tick": "failed",
    "contingency watch": "passed",
    "contingency declared": "passed",
    "contingency snapshot-1015": "passed",
    "recovery systems-restarted": "passed",
    "contingency snapshot-1030": "passed",
    "recovery resumed": "passed",
    "end-of-rehearsal call-level": "failed",
    "end-of-rehearsal every-tick": "failed",
}

FIRST_ACT = [
    "pre-opening engines-up",
    "pre-opening out-of-sequence-record",
    "pre-opening matching-indicator",
    "pre-opening opening-index",
    "continuous-trading first-tick",
    "continuous-trading call-level",
    "continuous-trading published-hsi-103030",
    "continuous-trading published-hsi-103245",
    "continuous-trading published-hscei-103300",
    "end-of-rehearsal every-tick",
    "end-of-rehearsal snapshot-agrees",
    "end-of-rehearsal engines-agree",
    "end-of-rehearsal contingency-not-needed",
]
SECOND_ACT = [
    "as-it-was-opening opening-late",
    "as-it-was-trading standing-still",
    "as-it-was-trading contingency",
    "as-it-was-trading hkex-told",
    "as-it-was-trading snapshot-1015",
    "as-it-was-trading recovery-held",
    "as-it-was-trading snapshot-1030",
    "as-it-was-trading resumption",
    "as-it-was-trading suspension",
    "as-it-was-trading recalculation",
    "as-it-was-trading trades-listed",
    "as-it-was-trading trade-files",
    "as-it-was-close settlement",
    "as-it-was-close page",
    "as-it-was-close chronology",
    "as-it-was-close golden-values",
]

# Section by section what was published: (what, value), written out here once more.
EXACT = {
    "HSI, first value after the resumption": "20511.75",
    "HSI, day low told with it": "20496.05",
    "HSCEI, first value after the resumption": "11747.41",
    "HSI, published in real time at 10:30:30": "20496.05",
    "HSI, published in real time at 10:32:45": "20511.75",
    "HSCEI, published in real time at 10:33:00": "11747.41",
    "HSI, lowest recalculated value": "20496.05",
    "call level of the products called": "20500",
    "products called and suspended": "13",
    "time of the mandatory calls": "10:30:30",
    "time of the suspensions": "10:32:45",
    "seconds from call to suspension": "135",
    "trades after the call": "15",
    "products with such trades": "6",
    "turnover of such trades, HK$": "47220",
    "participants with such trades": "18",
    "opening index due": "09:50:30",
    "error message": "09:52:00",
    "first real-time value": "10:00:15",
    "contingency triggered, about": "10:02:00",
    "HKEx told of it, about": "10:05:00",
    "snapshots, and mailed at": "10:15 10:17, 10:30 10:32",
    "calculation back, about": "10:27:00",
    "settlement marks that were not published": "6",
    "derivative warrants on the HSI that day": "348",
    "CBBCs on the HSI that day": "734",
    "derivative warrants on the HSCEI that day": "57",
    "CBBCs on the HSCEI that day": "53",
    "real-time indexes": "47",
    "time of the call confirmed in writing": "16:48",
    "second press release": "17:08",
    "first press release, by HSIL and by HKEx": "12:26, 12:28",
    "resumption, about and exactly": "10:33, 10:32:45",
    "trade files sent, the last after the 18:00 target": "17:47 to 18:13",
    "participants told by phone": "before 18:00",
}


class Told:
    """A rehearsal by the command, its document and its evidence."""

    def __init__(self, code: int, document: dict[str, Any]) -> None:
        self.code = code
        self.document = document
        self.folder = Path(document["evidence"])
        self.steps = {f"{one['session']} {one['step']}": one for one in document["steps"]}

    def read(self, path: str) -> str:
        return (self.folder / "data" / path).read_text("utf-8")

    def found(self, step: str) -> str:
        found: str = self.steps[step]["found"]
        return found


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Told]]:
    """Both designs rehearsed once, by the command with ``--json``."""
    patch = pytest.MonkeyPatch()
    rehearsed: dict[str, Told] = {}
    for engine in ("2010", "today"):
        out = io.StringIO()
        patch.setattr("sys.stdout", out)
        target = tmp_path_factory.mktemp("hsil") / engine
        words = ["--engine", engine] if engine == "2010" else []
        code = run(["rehearse", "hsil-2010", "--json", "--out", str(target), *words])
        patch.undo()
        rehearsed[engine] = Told(code, json.loads(out.getvalue()))
    yield rehearsed
    patch.undo()


@pytest.fixture(scope="module")
def day() -> Replayed:
    """The day until shortly after its opening."""
    return Replayed.of(1, time(10, 1))


class TestOldDesign:
    def test_it_exits_1_with_outcome_failed(self, told: dict[str, Told]) -> None:
        old = told["2010"]
        assert (1, "failed", "2010") == (
            old.code,
            old.document["outcome"],
            old.document["engine"],
        )
        assert OLD_STEPS == {name: one["outcome"] for name, one in old.steps.items()}

    def test_all_three_stopped_because_two_processes_clashed(self, told: dict[str, Told]) -> None:
        found = told["2010"].found("pre-opening matching-indicator")
        assert found == (
            "all stopped: the opening calculation found that the price table is in the hands of "
            "the out-of-sequence process"
        )

    def test_the_missing_values_are_those_of_2010(self, told: dict[str, Told]) -> None:
        """129 of the HSI and 130 of the HSCEI, the opening, and the one that the toy has not."""
        found = told["2010"].found("end-of-rehearsal every-tick")
        assert "131 HSI values, 09:50:30 to 10:32:30" in found
        assert "132 HSCEI values, 09:50:30 to 10:32:45" in found

    def test_the_watch_tells_what_was_noticed_by_eye(self, told: dict[str, Told]) -> None:
        assert "OpeningLate at 09:50:45, IndexUnchanged at 10:00:30" == (
            told["2010"].found("contingency watch")
        )

    def test_it_resumes_with_the_published_values(self, told: dict[str, Told]) -> None:
        assert (
            told["2010"]
            .found("recovery resumed")
            .startswith("HSI 20511.75 at 10:32:45, HSCEI 11747.41 at 10:33:00")
        )
        first, *_ = told["2010"].read("published.jsonl").splitlines()
        assert {
            "index": "0000100",
            "at": "2010-01-22T10:32:45+08:00",
            "value": "20511.75",
        } == json.loads(first)


class TestNewDesign:
    def test_it_exits_0_and_every_step_passes(self, told: dict[str, Told]) -> None:
        new = told["today"]
        assert (0, "passed", "today") == (
            new.code,
            new.document["outcome"],
            new.document["engine"],
        )
        assert {"passed"} == {one["outcome"] for one in new.steps.values()}
        assert FIRST_ACT + SECOND_ACT == list(new.steps)

    def test_every_expected_value_is_published_once_and_equals_the_independent_one(
        self, told: dict[str, Told]
    ) -> None:
        new = told["today"]
        expected = json.loads(new.read("day.json"))["expected"]
        published = [json.loads(line) for line in new.read("published.jsonl").splitlines()]
        assert [(one["index"], one["at"], one["value"]) for one in expected] == [
            (one["index"], one["at"], one["value"]) for one in published
        ]
        assert "1924 of 1924 values equal, to the cent" == (
            new.found("end-of-rehearsal snapshot-agrees")
        )

    def test_the_older_record_is_journalled_by_all_three(self, told: dict[str, Told]) -> None:
        assert (
            told["today"]
            .found("pre-opening out-of-sequence-record")
            .startswith("3 of 3 engines kept the newer price, counted the older record")
        )

    def test_the_call_is_told_when_it_happens(self, told: dict[str, Told]) -> None:
        assert (
            told["today"]
            .found("continuous-trading call-level")
            .startswith("HSI 20496.05 of 10:30:30, out at 10:30:3")
        )


class TestSecondAct:
    def test_every_golden_value_holds(self, told: dict[str, Told]) -> None:
        golden = told["today"].document["golden"]
        assert [] == [one for one in golden if not one["holds"]]
        assert {"what", "expected", "got", "holds", "by", "exact"} == golden[0].keys()
        assert golden == json.loads(told["today"].read("golden.json"))["golden"]
        got = {one["what"]: one["got"] for one in golden if one["exact"]}
        assert EXACT == {what: got.get(what) for what in EXACT}

    def test_what_is_rounded_is_held_as_rounded_and_nothing_unconfirmed(
        self, told: dict[str, Told]
    ) -> None:
        golden = told["today"].document["golden"]
        rounded = {one["what"]: one["expected"] for one in golden if not one["exact"]}
        assert "20726" == rounded["HSI, close, whole points"]
        assert "-0.65%" == rounded["HSI, change of the day in percent"]
        assert not {"20726.18", "20862.67"} & {one["expected"] for one in golden}

    def test_nothing_is_shown_between_the_first_value_and_the_resumption_but_two_mails(
        self, told: dict[str, Told]
    ) -> None:
        ticks = [
            parse_tick(one) for one in told["today"].read("as-it-was/shown.jsonl").splitlines()
        ]
        hsi = [tick for tick in ticks if tick.index == "0000100"]
        assert [
            ("09:50:30", "real-time"),
            ("10:00:15", "real-time"),
            ("10:15:00", "contingency"),
            ("10:30:00", "contingency"),
            ("10:32:45", "real-time"),
            ("10:33:00", "real-time"),
        ] == [(f"{tick.at:%H:%M:%S}", tick.kind.value) for tick in hsi[:6]]
        restated = told["today"].read("as-it-was/recalculated.jsonl").splitlines()
        assert 131 + 131 == len(restated)
        assert {"recalculated"} == {parse_tick(one).kind.value for one in restated}

    def test_it_resumes_only_when_every_held_value_was_proven(self, told: dict[str, Told]) -> None:
        assert (
            "HSI 20511.75 at 10:32:45, HSCEI 11747.41 at 10:33:00; 24 held ticks in a row were "
            "right"
        ) == told["today"].found("as-it-was-trading resumption")

    def test_the_day_low_suspends_before_anybody_knows_when(self, told: dict[str, Told]) -> None:
        assert "13 at 10:32:45 by the day low 20496.05; when it was reached is not known yet" == (
            told["today"].found("as-it-was-trading suspension")
        )
        assert "called at 10:30:30" in told["today"].found("as-it-was-trading recalculation")

    def test_each_participant_has_the_trades_that_are_theirs(self, told: dict[str, Told]) -> None:
        new = told["today"]
        folder = new.folder / "data" / "as-it-was" / "calls" / "participants"
        sides = [
            row
            for path in sorted(folder.iterdir())
            for row in csv.DictReader(path.read_text("utf-8").splitlines())
        ]
        assert 18 == len(list(folder.iterdir()))
        assert 2 * Decimal(47220) == sum(Decimal(row["turnover"]) for row in sides)
        assert {2} == set(Counter(row["trade"] for row in sides).values())

    def test_the_command_finds_the_same_in_the_files_that_stay(
        self, told: dict[str, Told], capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A reader of the evidence needs no rehearsal to find the call and the trades again."""
        kept = told["today"].folder / "data" / "as-it-was"
        words = ["index", "calls", "--date", "2010-01-22", "--json"]
        words += ["--products", str(kept / "products.csv"), "--trades", str(kept / "trades.csv")]
        words += ["--ticks", str(kept / "shown.jsonl")]
        words += ["--ticks", str(kept / "recalculated.jsonl")]
        assert 1 == run(words)
        found = json.loads(capsys.readouterr().out)
        written = json.loads((kept / "calls" / "calls.json").read_text("utf-8"))
        for key in ("calls", "suspended", "trades_to_cancel", "totals"):
            assert written[key] == found[key]

    def test_each_policy_for_the_swallowed_readings_gives_its_answer(
        self, told: dict[str, Told]
    ) -> None:
        document = json.loads(told["today"].read("as-it-was/settlement.json"))
        shown, whole = document["as_shown"], document["with_recalculated"]
        kinds = Counter(one["kind"] for one in shown["marks"])
        assert {"published": 42, "contingency": 2, "missing": 4} == kinds
        assert (None, 4) == (shown["eas"], shown["missing"])
        policies = {one["value"]: one["eas"] for one in shown["policies"]}
        values = [Decimal(one["value"]) for one in shown["marks"] if one["value"]]
        cent = Decimal("0.01")
        mean = (sum(values, Decimal()) / len(values)).quantize(cent, ROUND_HALF_UP)
        assert str(mean) == policies["omit"]
        assert policies["latest"] is not None
        all_values = [Decimal(one["value"]) for one in whole["marks"]]
        mean = (sum(all_values, Decimal()) / 48).quantize(cent, ROUND_HALF_UP)
        assert (str(mean), 0) == (whole["eas"], whole["missing"])

    def test_the_chronology_is_laid_beside_both_official_ones(self, told: dict[str, Told]) -> None:
        document = json.loads(told["today"].read("as-it-was/chronology.json"))
        incident = load_incidents(load_calendar())["hsil-2010"]
        for teller in ("hsil", "hkex"):
            rows = document["compared"][teller]
            official = [row["official"]["stated"] for row in rows if row["official"]]
            ours = [row["rehearsal"] for row in rows if row["rehearsal"]]
            stated = [row.stated for row in incident.chronology if row.teller == teller]
            assert sorted(stated) == sorted(official)
            assert len(document["rehearsal"]) == len(ours)
        resumed = next(
            row
            for row in document["compared"]["hsil"]
            if row["official"] and row["official"]["stated"] == "10:33"
        )
        assert ("10:32:45", 15, True) == (
            resumed["rehearsal"]["stated"],
            resumed["apart_s"],
            resumed["differs"],
        )

    @pytest.mark.parametrize("page", ["hsi", "hscei"])
    def test_the_picture_opens_offline_and_says_what_is_synthetic(
        self, told: dict[str, Told], page: str
    ) -> None:
        html = told["today"].read(f"as-it-was/{page}.html")
        assert "<svg" in html
        assert "SYNTHETIC stock prices" in html
        assert "http://" not in html.replace("http://www.w3.org", "")
        assert "<script" not in html

    def test_whatever_shows_invented_figures_says_so(self, told: dict[str, Told]) -> None:
        new = told["today"]
        for path in ("products.csv", "trades.csv", "settlement.json", "chronology.txt"):
            assert "SYNTHETIC" in new.read(f"as-it-was/{path}")
        assert "SYNTHETIC" in new.read("as-it-was/calls/calls.json")


class TestBoth:
    def test_they_met_the_same_bytes(self, told: dict[str, Told]) -> None:
        """To the end of the morning: the rest of the day is the second act's."""
        days = [json.loads(one.read("day.json")) for one in told.values()]
        until = {day["compared_until"] for day in days}
        assert {"2010-01-22T10:45:00+08:00"} == until
        assert 1 == len({day["bytes_sha256"] for day in days})
        mornings = [
            [one for one in day["expected"] if one["at"] <= day["compared_until"]] for day in days
        ]
        assert mornings[0] == mornings[1]
        assert 362 == len(mornings[0])

    @pytest.mark.parametrize("engine", ["2010", "today"])
    def test_the_evidence_is_whole_and_shows_the_bytes_around_the_moment(
        self, told: dict[str, Told], engine: str
    ) -> None:
        one = told[engine]
        verified = verify_evidence(one.folder)
        assert ((), one.document["seal"]) == (verified.findings, verified.seal)
        data = (one.folder / "data" / "around-matching.pcapng").read_bytes()
        assert 60 < len(CaptureReader().feed(data))
        assert "SYNTHETIC" in one.read("summary.html")
        assert "hsil-2010" == json.loads(one.read("incident.json"))["id"]

    @pytest.mark.parametrize("engine", ["2010", "today"])
    def test_the_document_has_the_shape_of_every_rehearsal(
        self, told: dict[str, Told], engine: str
    ) -> None:
        document = told[engine].document
        keys = {"rollout", "engine", "outcome", "fault", "steps", "golden", "evidence", "seal"}
        assert keys == document.keys()
        assert "hsil-2010" == document["rollout"]
        assert {"session", "step", "outcome", "at", "found", "by"} == document["steps"][0].keys()

    def test_a_rehearsal_again_is_the_same_to_the_seal(
        self, told: dict[str, Told], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Both acts, every file and every event."""
        assert 0 == run(["rehearse", "hsil-2010", "--json", "--out", str(tmp_path / "again")])
        again = json.loads(capsys.readouterr().out)
        assert told["today"].document["seal"] == again["seal"]

    async def test_another_seed_makes_another_day(self, tmp_path: Path) -> None:
        incident = load_incidents(load_calendar())["hsil-2010"]
        seals: list[str] = []
        for seed in (1, 2):
            screen = Screen(Console(file=io.StringIO()))
            done = await rehearse_incident(
                incident, Make.TODAY, tmp_path / f"{seed}", screen, seed=seed, until=time(10, 1)
            )
            seals.append(done.seal)
        assert seals[0] != seals[1]

    @pytest.mark.parametrize("engine", ["2010", "today"])
    def test_the_screen_is_readable_at_eighty_columns(
        self, told: dict[str, Told], engine: str
    ) -> None:
        file = io.StringIO()
        console = Console(file=file, width=80)
        for line in told[engine].read("rundown.txt").splitlines():
            say(console, line.lstrip(), lead=line[: len(line) - len(line.lstrip())])
        assert max(map(len, file.getvalue().splitlines())) <= 80


class TestJudgement:
    """What would make a step fail does so."""

    async def test_a_value_that_is_not_published_is_told(self, day: Replayed) -> None:
        last = day.published[-1]
        later = last._replace(time_ns=last.time_ns + 15_000_000_000)
        design = NewDesign(evolve(day, published=(*day.published, later)), time(10, 1))
        done = await design.every_tick()
        assert StepState.FAILED is done.state
        assert "1 missing, 0 twice, 0 not expected, 0 marked" in done.found

    async def test_a_value_that_nobody_expects_or_comes_twice_is_told(self, day: Replayed) -> None:
        design = NewDesign(evolve(day, published=day.published[:-1]), time(10, 1))
        await design.every_tick()
        design.system.published.append(design.system.published[0])
        done = await design.every_tick()
        assert "0 missing, 1 twice, 1 not expected, 0 marked" in done.found

    async def test_a_value_that_differs_from_the_independent_one_is_told(
        self, day: Replayed
    ) -> None:
        design = NewDesign(day, time(10, 1))
        await design.every_tick()
        first = day.published[0]
        design.system.other_make.values[first.code, first.time_ns] = Decimal("1.00")
        done = await design.snapshot_agrees()
        assert (StepState.FAILED, "HSI 09:50:30: 20527.67, independently 1.00") == (
            done.state,
            done.found,
        )

    async def test_the_old_design_survives_the_day_in_its_ordinary_order(self) -> None:
        """The control: the same stocks, prices and times, the two records in sequence."""
        until = time(10, 31)
        design = OldDesign(Replayed.of(1, until, out_of_sequence=False), until)
        await design.systems_up()
        done = [
            await act()
            for act in (
                design.out_of_sequence,
                design.matching_indicator,
                design.opening_index,
                design.first_tick,
                design.call_level,
                design.every_tick,
            )
        ]
        assert ["failed", "passed", "passed", "passed", "passed", "passed"] == [
            one.state.value for one in done
        ]
        assert "0 of 3 systems began the out-of-sequence process" == done[0].found


class TestWrongWords:
    def test_an_engine_is_of_an_incident_only(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert 2 == run(["rehearse", "rrs-2023", "--engine", "2010"])
        assert "--engine is of an incident, such as hsil-2010" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("words", "code", "sentence"),
        [
            (["--engine", "1986"], 2, "1986"),
            (["--fault", "gateway-down"], 2, "cannot happen in hsil-2010: give --engine 2010"),
        ],
    )
    def test_they_get_one_sentence(
        self, capsys: pytest.CaptureFixture[str], words: list[str], code: int, sentence: str
    ) -> None:
        assert code == run(["rehearse", "hsil-2010", *words])
        assert sentence in capsys.readouterr().err

    def test_the_papers_of_the_incident_are_in_the_library(self) -> None:
        assert "hsil-2010" in load_incidents(load_calendar())
