"""The verification session of 2019 through OAPI: what is done, what is proven, what is missing."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import stamina
from oapi_calls import needs_compiler
from rehearsals import Told
from rich.console import Console

from hkex_ops.cli.main import run
from hkex_ops.config.shipped import load_calendar, load_rollouts
from hkex_ops.flows.evidence import verify_evidence
from hkex_ops.flows.plugged import load_plugins
from hkex_ops.model import SiteRole
from hkex_ops.rundown import RundownStep
from hkex_ops_simulator import staging
from hkex_ops_simulator.faults import Fault
from hkex_ops_simulator.oapi.faults import PasswordState
from hkex_ops_simulator.oapi.house import PASSWORD, ClearingHouse
from hkex_ops_simulator.screen import Screen

SESSION = "post-release-verification"
OAPI_STEPS = [
    "log-in-2",
    "enquiries-only",
    "verify-trades",
    "verify-positions",
    "nothing-changed",
    "log-out-2",
]
# With them the confirmation is held back, and the items of its group are not ticked.
HELD_BACK = ["confirmation", "group-D"]

_CALENDAR = load_calendar()
_ROLLOUT = load_rollouts(_CALENDAR)["hkats-dcass-2019"]
_KNOWN: dict[Fault | None, Told] = {}


@pytest.fixture(autouse=True)
def few_attempts() -> Iterator[None]:
    stamina.set_testing(True, attempts=2)
    yield
    stamina.set_testing(False)


def rehearsed(
    folder: Path, fault: Fault | None = None, saboteur: staging.Saboteur | None = None
) -> Told:
    screen = Screen(Console(file=io.StringIO()))
    work = staging.rehearse_rollout(
        _ROLLOUT, _CALENDAR, folder / "e", screen, fault=fault, saboteur=saboteur
    )
    return Told(asyncio.run(work), folder / "e")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rehearsed")


def told_of(folder: Path, fault: Fault | None = None) -> Told:
    """Rehearsed once for all tests, which only read what is left of it."""
    if fault not in _KNOWN:
        own = folder / (fault or "well")
        own.mkdir()
        _KNOWN[fault] = rehearsed(own, fault)
    return _KNOWN[fault]


def outcomes(told: Told) -> dict[str, str]:
    return {id: told.step(SESSION, id)["outcome"] for id in OAPI_STEPS}


def wrong(told: Told) -> list[str]:
    return [one["step"] for one in told.steps if one["outcome"] != "passed"]


def decisions(told: Told) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = told.read("clearing/gate.json")["decisions"]
    return rows


@needs_compiler
class TestWell:
    def test_both_gateways_are_logged_in_to_and_out_of(self, folder: Path) -> None:
        told = told_of(folder)
        rows = told.facts(SESSION, "log-in-2")["gateways"]
        assert [(True, True), (True, True)] == [(one["stated"], one["passed"]) for one in rows]
        assert [("127.151.5.81", "2019-05-03"), ("127.151.5.82", "2019-05-03")] == [
            (one["gateway"].partition(":")[0], one["status"]["business_date"]) for one in rows
        ]
        assert all(one["logged_in_at"] and one["logged_out_at"] for one in rows)
        found = told.step(SESSION, "log-in-2")["found"]
        assert "10.151.5.81, here 127.151.5.81:" in found
        assert "password expires in 61 days" in found

    def test_it_is_done_within_the_session_and_form_e_is_made_before_its_hour(
        self, folder: Path
    ) -> None:
        told = told_of(folder)
        times = [told.step(SESSION, id)["at"][11:16] for id in OAPI_STEPS]
        assert ["09:00", "09:01", "09:02", "09:03", "12:00", "12:00"] == times
        confirmation = told.step("forms", "confirmation")
        assert ("passed", True) == (
            confirmation["outcome"],
            confirmation["at"] < "2019-05-05T12:30:00+08:00",
        )

    def test_the_books_agree_record_by_record(self, folder: Path) -> None:
        told = told_of(folder)
        for kind in ("trades", "positions"):
            tally = told.facts(SESSION, f"verify-{kind}")["tally"]
            assert (0, True) == (tally["breaks"], tally["matched"] == tally["ours"] > 100)
            document = told.read(f"clearing/reconcile-{kind}.json")
            assert document["theirs"]["from"] == "live"

    def test_everything_the_gate_decided_is_in_the_evidence(self, folder: Path) -> None:
        told = told_of(folder)
        rows = decisions(told)
        assert {"check", "refuse", "verify-trades", "verify-positions"} == {
            one["step"] for one in rows
        }
        asked = {one["decision"]["code"] for one in rows if one["decision"]["allowed"]}
        assert {"", "UQ12", "DQ8", "CQ10", "CQ3"} == asked
        denied = [one["decision"]["code"] for one in rows if not one["decision"]["allowed"]]
        assert {"CD28", "CD35", "CC13", "CC38", "UI1", "CQ259", "CQ2051", "CQ31"} <= set(denied)
        assert told.facts(SESSION, "enquiries-only")["refused"] == denied

    def test_the_house_itself_says_that_it_was_only_asked(self, folder: Path) -> None:
        told = told_of(folder)
        facts = told.facts(SESSION, "nothing-changed")
        assert (["query_ex"], []) == (facts["functions"], facts["changed"])
        assert {"UQ12", "DQ8", "CQ10", "CQ3"} == set(facts["codes"])

    def test_no_evidence_holds_the_password(self, folder: Path) -> None:
        told = told_of(folder)
        files = [one for one in told.folder.rglob("*") if one.is_file()]
        assert [] == [one.name for one in files if PASSWORD.encode() in one.read_bytes()]
        assert () == verify_evidence(told.folder).findings


@needs_compiler
class TestFaults:
    def test_a_gateway_that_is_down_is_found_though_the_other_one_serves(
        self, folder: Path
    ) -> None:
        told = told_of(folder, Fault.OAPI_GATEWAY_DOWN)
        assert ["check-connection-dcass-oapi", "log-in-2", *HELD_BACK] == wrong(told)
        rows = told.facts(SESSION, "log-in-2")["gateways"]
        assert [True, False] == [one["passed"] for one in rows]
        assert "10.151.5.82, here 127.151.5.82:" in told.step(SESSION, "log-in-2")["found"]

    def test_books_that_differ_are_a_break_and_no_declaration_of_success(
        self, folder: Path
    ) -> None:
        told = told_of(folder, Fault.BOOKS_DIFFER)
        assert ["verify-trades", "verify-positions", *HELD_BACK] == wrong(told)
        assert [2, 1] == [
            told.facts(SESSION, f"verify-{kind}")["tally"]["breaks"]
            for kind in ("trades", "positions")
        ]

    def test_nobody_logs_in_where_nobody_answers(self, folder: Path) -> None:
        told = told_of(folder, Fault.PRIMARY_DOWN)
        assert {"log-in-2": "failed", **dict.fromkeys(OAPI_STEPS[1:], "skipped")} == outcomes(told)

    def test_the_other_site_is_up_and_nobody_crosses_to_it_by_himself(self, folder: Path) -> None:
        for fault in (None, Fault.PRIMARY_DOWN):
            told = told_of(folder, fault)
            rows = told.read("stand-ins.json")["stand_ins"]
            sites = [one["site"] for one in rows if one["service"] == "DCASS-OAPI"]
            assert ["primary", "primary", "secondary", "secondary"] == sites
        facts = told_of(folder).facts(SESSION, "nothing-changed")
        assert 0 == facts["calls_at_the_secondary_site"]
        assert (
            "crossed"
            not in told_of(folder, Fault.PRIMARY_DOWN).step(SESSION, "nothing-changed")["found"]
        )


class Meddling(staging.Saboteur):
    """Does ``act`` to the far sides before one step."""

    def __init__(self, id: str, act: Callable[[staging.FarSides], Awaitable[None]]) -> None:
        self._id, self._act = id, act

    async def before(self, step: RundownStep, far: staging.FarSides) -> None:
        if step.id == self._id:
            await self._act(far)


def house_of(far: staging.FarSides) -> ClearingHouse:
    assert far.clearing is not None
    return far.clearing.house


@needs_compiler
class TestOnTheDay:
    def test_the_backup_gateway_serves_when_the_first_dies_after_the_log_in(
        self, tmp_path: Path
    ) -> None:
        async def kill(far: staging.FarSides) -> None:
            await far.stand_ins.of("DCASS-OAPI", SiteRole.PRIMARY)[0].listener.close()

        told = rehearsed(tmp_path, saboteur=Meddling("verify-trades", kill))
        assert "passed" == told.outcome
        gateway = told.facts(SESSION, "verify-trades")["gateway"]
        assert "127.151.5.82" == gateway.partition(":")[0]

    def test_a_gateway_that_dies_amid_an_answer_is_no_answer(self, tmp_path: Path) -> None:
        async def cut(far: staging.FarSides) -> None:
            faults = house_of(far).faults
            faults.cut_at, faults.cut_after = "CQ3", 2

        told = rehearsed(tmp_path, saboteur=Meddling("verify-positions", cut))
        assert ["verify-positions", *HELD_BACK] == wrong(told)
        assert not (told.folder / "data" / "clearing" / "reconcile-positions.json").exists()

    def test_a_password_that_must_be_changed_is_told_and_not_changed(self, tmp_path: Path) -> None:
        async def expire(far: staging.FarSides) -> None:
            house_of(far).faults.password = PasswordState.MUST_CHANGE

        told = rehearsed(tmp_path, saboteur=Meddling("log-in-2", expire))
        assert "failed" == told.step(SESSION, "log-in-2")["outcome"]
        assert "password must be changed" in told.step(SESSION, "log-in-2")["found"]

    def test_a_position_that_moves_overnight_is_a_break(self, tmp_path: Path) -> None:
        async def rectify(far: staging.FarSides) -> None:
            house = house_of(far)
            today = [one for one in house.books.trades if one.business_date == house.business_date]
            house.tell_change(
                today[0].number, account="MM01" if today[0].account != "MM01" else "HOUSE"
            )

        told = rehearsed(tmp_path, saboteur=Meddling("check-connection-dcass-oapi", rectify))
        assert {"verify-trades", "verify-positions"} < set(wrong(told))
        differing = told.read("clearing/reconcile-trades.json")["examples"][0]["differing"]
        assert ["account"] == list(differing)


@needs_compiler
def test_where_the_cache_cannot_be_written_the_library_is_built_beside_the_rehearsal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").write_text("a file in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert "passed" == rehearsed(tmp_path).outcome


class TestWithout:
    def _every_other_step_is_done(self, told: Told, install: str) -> None:
        assert "failed" == told.outcome
        assert dict.fromkeys(OAPI_STEPS, "unavailable") == outcomes(told)
        assert sorted(OAPI_STEPS) == sorted(wrong(told))
        assert all(install in told.step(SESSION, id)["found"] for id in OAPI_STEPS)
        assert () == verify_evidence(told.folder).findings

    def test_without_a_compiler_every_other_step_is_done(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.delenv("CC", raising=False)
        self._every_other_step_is_done(rehearsed(tmp_path), "install gcc and libc6-dev")

    def test_without_the_adapter_every_other_step_is_done(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(staging, "load_plugins", lambda: load_plugins(("hkex_ops_oapi",)))
        self._every_other_step_is_done(rehearsed(tmp_path), "install hkex-ops-oapi")

    def test_the_command_exits_1_and_says_what_to_install(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.delenv("CC", raising=False)
        code = run(["rehearse", "hkats-dcass-2019", "--json", "--out", str(tmp_path / "e")])
        told = capsys.readouterr()
        steps = json.loads(told.out)["steps"]
        lacking = [one["step"] for one in steps if one["outcome"] == "unavailable"]
        assert (1, sorted(OAPI_STEPS)) == (code, sorted(lacking))
        assert "DCASS-OAPI: unavailable:" in told.err
        assert "  unavailable log-in-2 " in told.err
