"""The backbone rehearsals with market data that is spoken to: real multicast, both sites."""

from __future__ import annotations

import io
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import hkex_ops_simulator.staging as staging
from hkex_ops.config.shipped import load_calendar, load_rollouts
from hkex_ops.flows.evidence import verify_evidence
from hkex_ops.plugins import MARKET_FEEDS, Plugins
from hkex_ops_simulator.faults import Fault
from hkex_ops_simulator.screen import Screen
from hkex_ops_simulator.staging import rehearse_rollout

pytestmark = pytest.mark.skipif(
    "omd-multicast" not in Plugins.load().offers(MARKET_FEEDS), reason="hkex-ops-omd is not there"
)

AT_A_SITE = ["check-connection", "heartbeats", "one-line", "gap", "refresh", "recovery-channel"]
SERVICES = ("omd-c", "omd-cc")


class Told:
    """A rehearsal that is over, as its evidence tells it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rundown: dict[str, Any] = self.read("rundown.json")
        self.steps: list[dict[str, Any]] = self.rundown["steps"]

    def read(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "data" / path).read_text("utf-8"))
        return found

    def step(self, session: str, id: str) -> dict[str, Any]:
        [found] = [one for one in self.steps if (session, id) == (one["session"], one["step"])]
        return found

    def facts(self, session: str, id: str) -> dict[str, Any]:
        for line in (self.folder / "data" / "events.jsonl").read_text("utf-8").splitlines():
            record = json.loads(line)
            step = record["body"].get("step", {})
            if record["kind"] == "step-finished" and (session, id) == (step["session"], step["id"]):
                facts: dict[str, Any] = record["body"]["facts"]
                return facts
        raise AssertionError(f"{session} {id} never ended")

    def market_steps(self, session: str) -> list[tuple[str, str]]:
        return [
            (one["step"], one["outcome"])
            for one in self.steps
            if one["session"] == session and one["step"].endswith(SERVICES)
        ]


Rehearse = Callable[..., Awaitable[Told]]


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Rehearse:
    """Rehearses once for all tests, which only read what is left of it."""
    calendar = load_calendar()
    rollouts = load_rollouts(calendar)
    known: dict[tuple[str, Fault | None], Told] = {}

    async def rehearse(id: str, fault: Fault | None = None) -> Told:
        if (id, fault) not in known:
            target = tmp_path_factory.mktemp("evidence") / id
            screen = Screen(Console(file=io.StringIO()))
            await rehearse_rollout(rollouts[id], calendar, target, screen, fault=fault)
            known[id, fault] = Told(target)
        return known[id, fault]

    return rehearse


class TestAtASite:
    @pytest.mark.parametrize(
        ("id", "session"),
        [
            ("backbone-prt-2024", "prt1"),
            ("backbone-prt-2024", "prt3"),
            ("backbone-ps2-2023", "ps2-primary"),
            ("backbone-ps2-2023", "ps2-backup"),
        ],
    )
    async def test_lines_heartbeats_gap_refresh_and_recovery_channel_are_rehearsed(
        self, rehearsed: Rehearse, id: str, session: str
    ) -> None:
        told = await rehearsed(id)
        expected = [(f"{step}-{service}", "passed") for step in AT_A_SITE for service in SERVICES]
        assert expected == told.market_steps(session)
        assert () == verify_evidence(told.folder).findings

    async def test_every_channel_came_by_both_lines(self, rehearsed: Rehearse) -> None:
        told = await rehearsed("backbone-prt-2024")
        facts = told.facts("prt2", "check-connection-omd-c")
        assert ["1", "2", "20", "71"] == list(facts["messages"])
        assert all(count > 0 for count in facts["packets"].values())
        assert {"A", "B"} == {way.split()[1] for way in facts["packets"]}

    async def test_a_lost_line_is_told_and_costs_nothing(self, rehearsed: Rehearse) -> None:
        told = await rehearsed("backbone-prt-2024")
        facts = told.facts("prt1", "one-line-omd-cc")
        assert {"silent": [41, 42], "returned": [41, 42]} == facts
        assert told.step("prt1", "one-line-omd-cc")["found"].endswith("nothing missed")

    async def test_a_gap_is_made_up_by_the_servers_of_the_site(self, rehearsed: Rehearse) -> None:
        told = await rehearsed("backbone-ps2-2023")
        servers = [
            told.facts(session, "gap-omd-c")["server"] for session in ("ps2-primary", "ps2-backup")
        ]
        assert ["127.151.201.1", "127.152.201.1"] == servers
        assert told.facts("ps2-primary", "gap-omd-c")["runs"]

    async def test_a_refresh_is_the_state_as_of_a_message(self, rehearsed: Rehearse) -> None:
        told = await rehearsed("backbone-prt-2024")
        facts = told.facts("prt3", "refresh-omd-c")
        assert 20 == facts["channel"]
        assert facts["messages"] > 40
        assert facts["last_sequence"] > 100

    async def test_what_spoke_is_in_the_evidence(self, rehearsed: Rehearse) -> None:
        told = await rehearsed("backbone-prt-2024")
        rows = told.read("market-data.json")["market_data"]
        assert [("OMD-C", "omd-multicast"), ("OMD-CC", "omd-multicast")] == [
            (row["service"], row["adapter"]) for row in rows
        ]
        assert all("SYNTHETIC" in row["speech"] for row in rows)
        assert [] == told.read("stand-ins.json")["stand_ins"]
        text = (told.folder / "data" / "rundown.txt").read_text("utf-8")
        assert "OMD-C: spoken to by hkex-ops-omd over multicast on loopback" in text


class TestBetweenTheSites:
    async def test_signal_105_is_heard_when_it_starts_and_when_it_is_done(
        self, rehearsed: Rehearse
    ) -> None:
        told = await rehearsed("backbone-ps2-2023")
        expected = [
            (f"signal-{step}-{service}", "passed")
            for step in ("started", "completed")
            for service in SERVICES
        ]
        assert expected == told.market_steps("ps2-failover")
        assert 1 == told.facts("ps2-failover", "signal-started-omd-c")["status"]
        completed = told.facts("ps2-failover", "signal-completed-omd-c")
        assert (2, "secondary") == (completed["status"], completed["site"])

    async def test_the_recovery_channel_still_says_so_at_the_backup_site(
        self, rehearsed: Rehearse
    ) -> None:
        told = await rehearsed("backbone-ps2-2023")
        signals = {
            session: told.facts(session, "recovery-channel-omd-c")["signals"]
            for session in ("ps2-primary", "ps2-backup")
        }
        assert {"ps2-primary": [], "ps2-backup": ["DisasterRecoveryEnded"]} == signals

    async def test_a_backup_site_that_sends_nothing_is_told(self, rehearsed: Rehearse) -> None:
        told = await rehearsed("backbone-ps2-2023", Fault.SECONDARY_DOWN)
        assert "failed" == told.rundown["outcome"]
        steps = dict(told.market_steps("ps2-backup"))
        assert (
            "failed" == steps.pop("check-connection-omd-c") == steps.pop("check-connection-omd-cc")
        )
        assert {"skipped"} == set(steps.values())
        assert told.step("ps2-backup", "check-connection-omd-c")["found"] == (
            "nothing is heard on channels 1, 2, 20, 71"
        )

    async def test_a_client_that_was_not_moved_hears_nobody(self, rehearsed: Rehearse) -> None:
        told = await rehearsed("backbone-ps2-2023", Fault.CLIENT_NOT_MOVED)
        found = told.step("ps2-backup", "check-connection-omd-cc")["found"]
        assert "the client points at the primary site, it must point at secondary" == found


class TestWithoutThePlugin:
    async def test_a_listener_stands_in_and_the_evidence_says_so(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        without = Plugins.load(block=("hkex_ops_omd",))
        monkeypatch.setattr(staging, "load_plugins", lambda: without)
        calendar = load_calendar()
        rollout = load_rollouts(calendar)["backbone-prt-2024"]
        screen = Screen(Console(file=io.StringIO()))
        await rehearse_rollout(rollout, calendar, tmp_path / "evidence", screen)
        told = Told(tmp_path / "evidence")
        assert [("check-connection-omd-c", "passed"), ("check-connection-omd-cc", "passed")] == (
            told.market_steps("prt1")
        )
        rows = told.read("stand-ins.json")["stand_ins"]
        assert {"OMD-C", "OMD-CC"} == {row["service"] for row in rows}
        assert all("protocol not spoken" in row["speech"] for row in rows)
        assert not (told.folder / "data" / "market-data.json").exists()
