"""22 January 2010 rehearsed: the old design fails, the new one does not, on the same bytes."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from rich.console import Console

from hkex_ops.cli.main import run
from hkex_ops.cli.text import say
from hkex_ops.config.shipped import load_calendar, load_incidents
from hkex_ops.flows.evidence import verify_evidence
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
        assert 13 == len(new.steps)

    def test_every_expected_value_is_published_once_and_equals_the_independent_one(
        self, told: dict[str, Told]
    ) -> None:
        new = told["today"]
        expected = json.loads(new.read("day.json"))["expected"]
        published = [json.loads(line) for line in new.read("published.jsonl").splitlines()]
        assert [(one["index"], one["at"], one["value"]) for one in expected] == [
            (one["index"], one["at"], one["value"]) for one in published
        ]
        assert "362 of 362 values equal, to the cent" == (
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


class TestBoth:
    def test_they_met_the_same_bytes(self, told: dict[str, Told]) -> None:
        days = [json.loads(one.read("day.json")) for one in told.values()]
        assert 1 == len({day["bytes_sha256"] for day in days})
        assert 1 == len({json.dumps(day["expected"]) for day in days})

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
        assert {"rollout", "engine", "outcome", "fault", "steps", "evidence", "seal"} == (
            document.keys()
        )
        assert "hsil-2010" == document["rollout"]
        assert {"session", "step", "outcome", "at", "found", "by"} == document["steps"][0].keys()

    async def test_a_rehearsal_again_is_the_same_to_the_seal(self, tmp_path: Path) -> None:
        incident = load_incidents(load_calendar())["hsil-2010"]
        seals: list[str] = []
        for place in ("once", "again"):
            screen = Screen(Console(file=io.StringIO()))
            done = await rehearse_incident(
                incident, Make.TODAY, tmp_path / place, screen, seed=1, until=time(10, 1)
            )
            seals.append(done.seal)
        assert seals[0] == seals[1]

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
