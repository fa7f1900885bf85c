"""Every rollout rehearsed from its own data: what is done when, and what is said of it."""

from __future__ import annotations

import io
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import pytest
import stamina
from oapi_calls import needs_compiler
from rehearsals import Told
from rich.console import Console

from hkex_ops.cli.main import run
from hkex_ops.config.shipped import load_calendar, load_rollouts
from hkex_ops.flows.evidence import verify_evidence
from hkex_ops_simulator.faults import Fault
from hkex_ops_simulator.screen import Screen
from hkex_ops_simulator.staging import rehearse_rollout

ROLLOUTS = (
    "backbone-prt-2024",
    "backbone-ps2-2023",
    pytest.param("hkats-dcass-2019", marks=needs_compiler),  # its clearing house needs one
    "rrs-2023",
)
REHEARSER = "rehearsed by the simulator"


Rehearse = Callable[..., Awaitable[Told]]


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearse]:
    """Rehearses a rollout once for all tests, which only read what is left of it.

    A far side that is away is tried as often as ever, without the pauses.
    """
    calendar = load_calendar()
    rollouts = load_rollouts(calendar)
    known: dict[tuple[str, Fault | None], Told] = {}

    async def rehearse(id: str, fault: Fault | None = None) -> Told:
        if (id, fault) not in known:
            target = tmp_path_factory.mktemp("evidence") / id
            screen = Screen(Console(file=io.StringIO()))
            done = await rehearse_rollout(rollouts[id], calendar, target, screen, fault=fault)
            known[id, fault] = Told(done, target)
        return known[id, fault]

    stamina.set_testing(True, attempts=2)
    yield rehearse
    stamina.set_testing(False)


class TestEveryRollout:
    @pytest.mark.parametrize("id", ROLLOUTS)
    async def test_it_passes_and_its_evidence_is_whole(self, rehearsed: Rehearse, id: str) -> None:
        told = await rehearsed(id)
        assert ("passed", []) == (told.outcome, told.wrong())
        assert () == verify_evidence(told.folder).findings

    @pytest.mark.parametrize("id", ROLLOUTS)
    async def test_nothing_is_done_in_a_persons_name(self, rehearsed: Rehearse, id: str) -> None:
        told = await rehearsed(id)
        assert {one["by"] for one in told.steps} <= {None, REHEARSER}
        assert all(one["found"].startswith(REHEARSER) for one in told.steps if one["by"])

    @pytest.mark.parametrize("id", ROLLOUTS)
    async def test_every_rule_that_can_be_dated_is_asked_and_answered_with_its_clause(
        self, rehearsed: Rehearse, id: str
    ) -> None:
        told = await rehearsed(id)
        rules = load_rollouts(load_calendar())[id].restrictions
        found = [one["found"] for one in told.steps if " is " in one["found"]]
        assert [] == [
            rule.id for rule in rules if not any(f"{rule.rule} ({rule.source})" in f for f in found)
        ]

    @pytest.mark.parametrize("id", ROLLOUTS)
    def test_the_command_exits_0_with_one_document(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], id: str
    ) -> None:
        code = run(["rehearse", id, "--json", "--out", str(tmp_path / "evidence")])
        document = json.loads(capsys.readouterr().out)
        assert (0, id, "passed") == (code, document["rollout"], document["outcome"])
        assert {"session", "step", "outcome"} <= document["steps"][0].keys()
        assert str(tmp_path / "evidence") == document["evidence"]


class TestStandIns:
    @pytest.mark.parametrize("id", ROLLOUTS)
    async def test_the_evidence_says_what_stood_in(self, rehearsed: Rehearse, id: str) -> None:
        told = await rehearsed(id)
        rows = told.read("stand-ins.json")["stand_ins"]
        services = load_rollouts(load_calendar())[id].services
        spoken_to = {"RRS", "OMD-C", "OMD-CC"}
        assert sorted(set(services) - spoken_to) == sorted({row["service"] for row in rows})
        assert all("stands in" in row["speech"] for row in rows)
        assert all(row["loopback"].startswith("127.") for row in rows)

    async def test_a_service_without_an_adapter_is_not_spoken_to(self, rehearsed: Rehearse) -> None:
        told = await rehearsed("backbone-ps2-2023")
        for id in ("check-connection-otp-c", "log-in"):
            assert (
                "a loopback listener stands in; protocol not spoken"
                in (told.step("ps2-primary", id)["found"])
            )
        rundown = (told.folder / "data" / "rundown.txt").read_text("utf-8")
        assert "OTP-CSC: a loopback listener stands in; protocol not spoken." in rundown


class TestHkatsDcass2019:
    async def test_all_four_gateways_are_looked_at_by_their_login_page(
        self, rehearsed: Rehearse
    ) -> None:
        told = await rehearsed("hkats-dcass-2019")
        looked_at = told.facts("post-release-verification", "check-connection")["looked_at"]
        assert ["10.151.14.155", "10.151.14.156", "10.151.14.101", "10.151.14.102"] == [
            one["stated_host"] for one in looked_at
        ]
        assert all(one["answered"] and one["certificate"] for one in looked_at)
        assert {8082} == {one["stated_port"] for one in looked_at}

    async def test_the_central_gateways_are_looked_at_without_a_stated_port(
        self, rehearsed: Rehearse
    ) -> None:
        told = await rehearsed("hkats-dcass-2019")
        looked_at = told.facts("post-release-verification", "check-connection-dcass-oapi")[
            "looked_at"
        ]
        assert [("10.151.5.81", None), ("10.151.5.82", None)] == [
            (one["stated_host"], one["stated_port"]) for one in looked_at
        ]

    async def test_the_host_table_is_kept_before_the_session(self, rehearsed: Rehearse) -> None:
        told = await rehearsed("hkats-dcass-2019")
        facts = told.facts("post-release-verification", "check-addresses")
        assert "10.151.14.155 pgencdw001.hkex.com.hk" == facts["hosts"][0]
        assert (
            "2019-05-05T08:50:00+08:00"
            == (told.step("post-release-verification", "check-addresses")["at"])
        )

    async def test_the_checklist_is_walked_group_by_group(self, rehearsed: Rehearse) -> None:
        told = await rehearsed("hkats-dcass-2019")
        assert ["group-A", "group-C", "group-D", "group-B", "group-E"] == told.ids("checklist")
        ticked = [
            item["item"]["number"]
            for group in "ABCDE"
            for item in told.facts("checklist", f"group-{group}")["items"]
        ]
        assert list(range(1, 23)) == ticked

    async def test_both_forms_are_made_when_they_are_valid_and_kept(
        self, rehearsed: Rehearse
    ) -> None:
        told = await rehearsed("hkats-dcass-2019")
        assert ["password-reset-refused", "password-reset", "confirmation"] == told.ids("forms")
        assert (
            "is denied until 2019-05-05T09:00:00"
            in (told.step("forms", "password-reset-refused")["found"])
        )
        assert "2019-05-05T12:00:00+08:00" == told.step("forms", "confirmation")["at"]
        for form in ("password-reset", "confirmation"):
            pdf = (told.folder / "data" / "forms" / f"{form}.pdf").read_bytes()
            assert pdf.startswith(b"%PDF-")

    async def test_what_must_stand_for_the_fallback_is_listed(self, rehearsed: Rehearse) -> None:
        told = await rehearsed("hkats-dcass-2019")
        assert "7 things must stand: network gateways" in told.step("fallback", "standing")["found"]

    async def test_the_first_days_reports_are_fetched_when_the_day_is_over(
        self, rehearsed: Rehearse
    ) -> None:
        told = await rehearsed("hkats-dcass-2019")
        fetch = told.step("stabilisation", "daily-fetch")
        assert "2019-05-07T01:45:00+08:00" == fetch["at"]
        assert fetch["found"].endswith("business date 2019-05-06")

    async def test_the_steps_of_a_procedure_are_rehearsed_in_order(
        self, rehearsed: Rehearse
    ) -> None:
        told = await rehearsed("hkats-dcass-2019")
        steps = [id for id in told.ids("cutover") if id.startswith("disable-windows-services-")]
        assert [f"disable-windows-services-{number}" for number in range(1, 7)] == steps

    async def test_one_gateway_down_fails_the_check_and_holds_back_the_confirmation(
        self, rehearsed: Rehearse
    ) -> None:
        told = await rehearsed("hkats-dcass-2019", Fault.GATEWAY_DOWN)
        session = "post-release-verification"
        assert "failed" == told.outcome
        assert [f"{session} check-connection", "forms confirmation", "checklist group-D"] == (
            told.wrong()
        )
        assert "10.151.14.156:8082, here " in told.step(session, "check-connection")["found"]
        assert "it declares success" in told.step("forms", "confirmation")["found"]
        assert () == verify_evidence(told.folder).findings

    async def test_nobody_logs_in_where_nobody_answers(self, rehearsed: Rehearse) -> None:
        told = await rehearsed("hkats-dcass-2019", Fault.PRIMARY_DOWN)
        session = "post-release-verification"
        assert "failed" == told.step(session, "log-in")["outcome"]
        assert "skipped" == told.step(session, "log-out")["outcome"]


class TestBackbonePs2:
    async def test_each_audience_does_its_own_steps_and_no_other(self, rehearsed: Rehearse) -> None:
        told = await rehearsed("backbone-ps2-2023")
        for session in ("ps2-primary", "ps2-backup"):
            assert ["log-in", "manual", "log-in-2"] == [
                id for id in told.ids(session) if id.startswith(("log-in", "manual"))
            ]
            for id, audience in (("log-in", "EP"), ("manual", "EP"), ("log-in-2", "CCEP")):
                assert f"{REHEARSER}: {audience}: " in told.step(session, id)["found"]

    async def test_what_confines_one_audience_leaves_the_other_free(
        self, rehearsed: Rehearse
    ) -> None:
        told = await rehearsed("backbone-ps2-2023")
        facts = told.facts("ps2-backup", "simulate-daily-operations-limited")
        assert ("limited", ["CCEP"], {"EP": "allow"}) == (
            facts["decision"],
            facts["audience"],
            facts["others"],
        )

    async def test_no_client_connects_while_no_site_can_be_used(self, rehearsed: Rehearse) -> None:
        told = await rehearsed("backbone-ps2-2023")
        ids = [id for id in told.ids("ps2-failover") if not id.startswith("signal-")]
        assert ["systems-fail-over", "clients-stayed-away"] == ids
        directions = told.facts("ps2-failover", "systems-fail-over")["directions"]
        assert [("OTP-C", None), ("OTP-CSC", None), ("OMD-C", None), ("OMD-CC", None)] == [
            (one["service"], one["site"]) for one in directions
        ]
        assert {"connections": 0} == told.facts("ps2-failover", "clients-stayed-away")

    async def test_the_client_goes_to_the_backup_site_and_comes_home(
        self, rehearsed: Rehearse
    ) -> None:
        told = await rehearsed("backbone-ps2-2023")
        assert ["point-at-secondary"] == told.ids("between-sessions")
        looked_at = told.facts("ps2-backup", "check-connection-otp-c")["looked_at"]
        assert ["secondary"] == [one["site"] for one in looked_at]
        assert ["point-at-primary", "production"] == told.ids("after-sessions")

    async def test_a_backup_site_that_does_not_come_up_is_told(self, rehearsed: Rehearse) -> None:
        told = await rehearsed("backbone-ps2-2023", Fault.SECONDARY_DOWN)
        assert "failed" == told.outcome
        assert {"ps2-backup"} == {one.split()[0] for one in told.wrong()}
        assert "skipped" == told.step("ps2-backup", "manual")["outcome"]

    async def test_a_client_that_was_not_moved_is_told(self, rehearsed: Rehearse) -> None:
        told = await rehearsed("backbone-ps2-2023", Fault.CLIENT_NOT_MOVED)
        assert "failed" == told.outcome
        found = told.step("ps2-backup", "check-connection-omd-c")["found"]
        assert "the client points at the primary site, it must point at secondary" == found


class TestBackbonePrt:
    async def test_the_production_connection_is_looked_at_in_every_test(
        self, rehearsed: Rehearse
    ) -> None:
        told = await rehearsed("backbone-prt-2024")
        assert ["prt1", "prt1", "prt2", "prt2", "prt3", "prt3"] == [
            one["session"] for one in told.steps if one["step"].startswith("check-connection")
        ]
        assert {"primary"} == {
            told.facts(session, "check-connection-omd-cc")["site"]
            for session in ("prt1", "prt2", "prt3")
        }


class TestRrs:
    async def test_it_runs_as_the_circular_says(self, rehearsed: Rehearse) -> None:
        told = await rehearsed("rrs-2023")
        sessions = list(dict.fromkeys(one["session"] for one in told.steps))
        assert [
            "last-business-date",
            "before-sessions",
            "session-1",
            "between-sessions",
            "session-2",
            "stabilisation",
        ] == sessions
        assert [
            "renew-ssh-key-denied",
            "daily-fetch",
            "fetch-again",
            "verify-archive",
        ] == told.ids("stabilisation")

    @pytest.mark.parametrize(
        ("fault", "expected"),
        [
            (Fault.SECONDARY_DOWN, "session-1 log-in"),
            (Fault.PRIMARY_DOWN, "session-2 log-in"),
            (Fault.REPORT_VANISHED, "session-1 compare-listing"),
            (Fault.CLIENT_NOT_MOVED, "before-sessions point-at-secondary"),
        ],
    )
    async def test_a_fault_is_told_where_it_is_met(
        self, rehearsed: Rehearse, fault: Fault, expected: str
    ) -> None:
        told = await rehearsed("rrs-2023", fault)
        assert ("failed", expected) == (told.outcome, told.wrong()[0])

    async def test_the_second_address_serves_when_the_first_is_down(
        self, rehearsed: Rehearse
    ) -> None:
        told = await rehearsed("rrs-2023", Fault.FIRST_ADDRESS_DOWN)
        assert "passed" == told.outcome
        assert "127.152.14.122" in told.step("session-1", "log-in")["found"]


class TestFaults:
    @pytest.mark.parametrize(
        ("id", "fault", "why"),
        [
            ("rrs-2023", "gateway-down", "it states no gateways with a login page"),
            ("backbone-ps2-2023", "gateway-down", "it states no gateways with a login page"),
            ("hkats-dcass-2019", "secondary-down", "no session is held at the secondary site"),
            ("backbone-prt-2024", "client-not-moved", "no session is held at the secondary site"),
            ("hkats-dcass-2019", "report-vanished", "no session reads the report folder"),
        ],
    )
    def test_a_fault_that_cannot_happen_is_refused(
        self,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        id: str,
        fault: str,
        why: str,
    ) -> None:
        out = tmp_path / "evidence"
        assert 2 == run(["rehearse", id, "--fault", fault, "--out", str(out)])
        assert f"{fault} cannot happen in {id}: {why}" in " ".join(capsys.readouterr().err.split())
        assert [] == list(tmp_path.iterdir())

    def test_a_step_that_failed_exits_1(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        arguments: Sequence[str] = ("hkats-dcass-2019", "--fault", "gateway-down", "--json")
        assert 1 == run(["rehearse", *arguments, "--out", str(tmp_path / "evidence")])
        assert "failed" == json.loads(capsys.readouterr().out)["outcome"]
