"""Rollouts that do not ship: a plug-in's, one that the configuration names, a file of one's own.

They are rehearsed on loopback like the others, whatever addresses they state, and one that a
rehearsal cannot work is refused with everything that is in the way.
"""

from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
from rich.console import Console

from hkex_ops.cli.main import run
from hkex_ops.config.shipped import (
    load_calendar,
    load_rollouts,
    rollout_template,
    structure_rollout,
)
from hkex_ops.errors import OutsideCalendar, UsageError
from hkex_ops.flows.evidence import verify_evidence
from hkex_ops.model import Bound, Certainty, Connection, Rollout, Session, SiteRole, Window
from hkex_ops_simulator.addresses import LOOPBACK_OF, report_places
from hkex_ops_simulator.possible import require_rehearsable
from hkex_ops_simulator.screen import Screen
from hkex_ops_simulator.staging import Rehearsed, rehearse_rollout
from tests.cli import folder_source
from tests.cli.program import Program, require_refused

CALENDAR = load_calendar()
SHIPPED = load_rollouts(CALENDAR)
RRS = SHIPPED["rrs-2023"]
OWN = rollout_template()
UNKNOWN = Bound(certainty=Certainty.UNKNOWN)
PLUGINS = frozenset({"hkex-ops-basic", "hkex-ops-sftp", "hkex-ops-simulator"})


@pytest.fixture
def program(tmp_path: Path) -> Program:
    home = tmp_path / "home"
    home.mkdir()
    (home / "own.toml").write_text(OWN, encoding="utf-8")
    return Program(home, plugins=PLUGINS)


async def rehearsed(rollout: Rollout, target: Path) -> Rehearsed:
    done = await rehearse_rollout(rollout, CALENDAR, target, Screen(Console(file=io.StringIO())))
    assert () == verify_evidence(target).findings
    return done


class TestWhichRollout:
    def test_a_file_of_ones_own_is_rehearsed_as_it_stands(self, program: Program) -> None:
        ended = program.here("rehearse", "--file", "own.toml", "--out", "proof", "--json")
        assert (0, "next-circular", "passed") == (
            ended.code,
            ended.document["rollout"],
            ended.document["outcome"],
        )
        assert () == verify_evidence(program.home / "proof").findings
        assert ["own.toml", "proof"] == sorted(path.name for path in program.home.iterdir())

    def test_one_that_the_configuration_names_is_found_by_its_id(self, program: Program) -> None:
        (program.home / "config.toml").write_text('[rollouts]\nfiles = ["own.toml"]\n')
        words = ("rehearse", "next-circular", "--json")
        require_refused(program.here(*words), 2, "UsageError", "no rollout 'next-circular'")
        for more in (("--config", "config.toml"), ()):
            named = attrs.evolve(program, more={"HKEX_OPS_CONFIG": "config.toml"})
            ended = (program if more else named).here(*words, "--out", f"proof{len(more)}", *more)
            assert (0, "passed") == (ended.code, ended.document["outcome"])

    def test_a_plug_ins_rollout_is_found_by_its_id(self, program: Program, tmp_path: Path) -> None:
        site = tmp_path / "site"
        site.mkdir()
        text = OWN.replace('id = "next-circular"', 'id = "plugged"', 1)
        (site / "more_papers.py").write_text(
            "from hkex_ops.hookspecs import hookimpl\n"
            "from hkex_ops.ports import RolloutDocument\n"
            "@hookimpl\n"
            "def hkex_ops_rollouts():\n"
            f"    return [RolloutDocument('plugged', {text!r})]\n"
        )
        folder_source.install(site, "more-papers", module="more_papers")
        with_it = attrs.evolve(program, path=(site,))
        ended = with_it.here("rehearse", "plugged", "--out", "proof", "--json")
        assert (0, "plugged", "passed") == (
            ended.code,
            ended.document["rollout"],
            ended.document["outcome"],
        )

    def test_a_broken_configuration_keeps_nobody_from_rehearsing_what_ships(
        self, program: Program
    ) -> None:
        (program.home / "config.toml").write_text("this is [ not TOML")
        broken = attrs.evolve(program, more={"HKEX_OPS_CONFIG": "config.toml"})
        assert 0 == broken.here("rehearse", "backbone-prt-2024", "--out", "proof").code
        ended = broken.here("rehearse", "next-circular", "--json")
        require_refused(ended, 6, "ConfigError", "is not TOML")

    @pytest.mark.parametrize(
        ("words", "code", "kind", "said"),
        [
            ((), 2, "UsageError", "name one rollout to rehearse"),
            (("rrs-2023", "--file", "own.toml"), 2, "UsageError", "name one rollout to rehearse"),
            (("--file", "none.toml"), 6, "ConfigError", "there is no rollout file at none.toml"),
            (("--file", "bad.toml"), 6, "ConfigError", "sessions[0].window.from"),
        ],
    )
    def test_what_names_no_rollout_is_refused(
        self, program: Program, words: tuple[str, ...], code: int, kind: str, said: str
    ) -> None:
        bad = OWN.replace("2026-09-12 (Saturday) 14:30", "2026-09-12 (Sunday) 14:30")
        (program.home / "bad.toml").write_text(bad, encoding="utf-8")
        ended = program.here("rehearse", *words, "--json")
        assert (code, kind) == (ended.code, ended.document["error"]["kind"])
        assert said in ended.document["error"]["message"]
        assert ["bad.toml", "own.toml"] == sorted(path.name for path in program.home.iterdir())


class TestWhatCannotBeRehearsed:
    def evolved(self, place: int, **more: object) -> Rollout:
        sessions = list(RRS.sessions)
        sessions[place] = attrs.evolve(sessions[place], **more)  # type: ignore[misc]
        return attrs.evolve(RRS, sessions=tuple(sessions))

    def test_everything_that_is_in_the_way_is_told_at_once(self) -> None:
        without = self.evolved(0, window=Window(UNKNOWN, UNKNOWN))
        with pytest.raises(UsageError) as refused:
            require_rehearsable(without)
        assert (
            "rrs-2023 cannot be rehearsed: the paper does not say when session session-1 begins; "
            "the paper does not say when session session-1 ends" == str(refused.value)
        )

    def test_one_client_is_not_at_two_sites_at_once(self) -> None:
        first = RRS.sessions[0].window
        with pytest.raises(UsageError, match="sessions session-1 and session-2 are held at two"):
            require_rehearsable(self.evolved(1, window=first))

    def test_a_rollout_without_sessions_has_nothing_to_rehearse(self) -> None:
        with pytest.raises(UsageError, match="rrs-2023 states no session to rehearse"):
            require_rehearsable(attrs.evolve(RRS, sessions=()))

    async def test_days_outside_the_calendar_are_not_guessed(self, tmp_path: Path) -> None:
        session = RRS.sessions[0].window
        assert session.start.at is not None
        assert session.until.at is not None
        late = [Bound(bound.replace(year=2099)) for bound in (session.start.at, session.until.at)]
        only = attrs.evolve(RRS.sessions[0], window=Window(*late))
        moved = attrs.evolve(RRS, sessions=(only,))
        with pytest.raises(OutsideCalendar):
            await rehearsed(moved, tmp_path / "proof")
        assert [] == list(tmp_path.iterdir())  # noqa: ASYNC240

    def test_the_command_refuses_it_and_leaves_nothing(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        text = OWN.replace('"2026-09-12 (Saturday) 15:30"', '"unknown"')
        (tmp_path / "own.toml").write_text(text, encoding="utf-8")
        words = ["rehearse", "--file", str(tmp_path / "own.toml"), "--out", str(tmp_path / "p")]
        assert 2 == run([*words, "--json"])
        told = json.loads(capsys.readouterr().out)["error"]["message"]
        assert "the paper does not say when session session-1 ends" in told
        assert ["own.toml"] == [path.name for path in tmp_path.iterdir()]


class TestAddresses:
    def moved(self, *connections: Connection) -> Rollout:
        return attrs.evolve(RRS, connections=connections)

    def test_the_circulars_own_keep_their_last_numbers(self) -> None:
        places = report_places(RRS)
        assert {LOOPBACK_OF[one.host] for one in RRS.connections} == {
            places.host_of(one) for one in RRS.connections
        }

    def test_where_no_paper_states_one_the_circulars_of_2023_stand_in(self) -> None:
        assert report_places(RRS).hosts == report_places(SHIPPED["hkats-dcass-2019"]).hosts

    @pytest.mark.parametrize(
        "hosts",
        [
            ("192.0.2.11", "192.0.2.12", "192.0.2.21", "192.0.2.22"),
            ("rrs.example.com", "rrs2.example.com", "rrs.example.com", "rrs2.example.com"),
            ("10.1.1.1", "10.1.1.1", "10.1.1.1", "10.1.1.1"),
            ("11.255.255.255", "10.0.0.0", "10.255.255.255", "12.0.0.0"),
            ("10.152.14.121", "10.152.14.122", "10.151.14.121", "10.151.14.122"),
        ],
        ids=["other networks", "names for both sites", "one address", "no hosts", "sites swapped"],
    )
    async def test_whatever_addresses_a_paper_states_it_is_rehearsed_on_loopback(
        self, tmp_path: Path, hosts: tuple[str, ...]
    ) -> None:
        rollout = self.moved(
            *(
                attrs.evolve(one, host=host, port=one.port and one.port + place)
                for place, (one, host) in enumerate(zip(RRS.connections, hosts, strict=True))
            )
        )
        places = report_places(rollout)
        every = [host for site in SiteRole for host in places.hosts[site]]
        assert 4 == len(set(every))
        assert all(host.startswith("127.") for host in every)
        done = await rehearsed(rollout, tmp_path / "proof")
        assert "passed" == done.outcome

    async def test_an_address_without_its_port_proves_nothing(self, tmp_path: Path) -> None:
        rollout = self.moved(*(attrs.evolve(one, port=None) for one in RRS.connections))
        done = await rehearsed(rollout, tmp_path / "proof")
        wrong = {step.id: state for step, state in done.rundown.states.items() if state != "passed"}
        assert "failed" == done.outcome
        assert {"unknown"} == set(wrong.values())
        assert {"check-addresses", "check-configuration", "keep-check-configuration"} == set(wrong)

    async def test_a_paper_without_addresses_is_rehearsed_and_its_checks_prove_nothing(
        self, tmp_path: Path
    ) -> None:
        done = await rehearsed(self.moved(), tmp_path / "proof")
        wrong = {step.id for step, state in done.rundown.states.items() if state != "passed"}
        assert {"check-addresses", "check-configuration", "keep-check-configuration"} == wrong


def parts(text: str) -> Rollout:
    return structure_rollout(text, CALENDAR, document="own.toml")


async def test_services_that_no_shipped_paper_knows_get_listeners(tmp_path: Path) -> None:
    """A service of a word of its own, addresses by name, and a session that states no site.

    It is held two hours after one at the secondary site: the client must have come home.
    """
    session: Session = parts(OWN).sessions[0]
    source = session.source
    held = [bound.at for bound in (session.window.start, session.window.until) if bound.at]
    later = Window(*(Bound(at + timedelta(hours=2)) for at in held))
    names = [
        Connection("CCASS", SiteRole.PRIMARY, host, port, source)
        for host, port in (("one.example.com", 443), ("two.example.com", None))
    ]
    more = attrs.evolve(
        session,
        id="new-system",
        window=later,
        site=None,
        services=("CCASS",),
        steps=(),
        registration=None,
    )
    rollout = attrs.evolve(
        parts(OWN),
        services=("RRS", "CCASS"),
        sessions=(session, more),
        connections=(*parts(OWN).connections, *names),
    )
    done = await rehearsed(rollout, tmp_path / "proof")
    assert "passed" == done.outcome
    told: dict[str, Any] = json.loads(
        (tmp_path / "proof" / "data" / "stand-ins.json").read_text("utf-8")
    )
    assert ["one.example.com", "two.example.com"] == [
        one["stated_host"] for one in told["stand_ins"]
    ]
    assert all(one["loopback"].startswith("127.") for one in told["stand_ins"])
