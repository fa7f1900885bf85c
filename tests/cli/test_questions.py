"""The desk's four questions at the command line, and the file for the next circular."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.cli import folder_source
from tests.cli.program import Program, require_refused, times_of

FAULTY = """\
id = "next"
title = "Next"
services = ["RRS"]
audience = ["CP"]

[[circulars]]
title = "Next"
issuer = "HKCC"
source = "letterhead"

[[restrictions]]
id = "r"
action = "renew-ssh-keys"
effect = "prohibited"
rule = "do not"
audience = ["CP"]
source = "1"

[[registrations]]
id = "enrol"
what = "enrol"
channel = "form"
due = "2026-09-13 (Monday)"
audience = ["CP"]
source = "2"
"""


def ask(program: Program, *arguments: str | Path) -> dict[str, Any]:
    ended = program.here(*arguments, "--json")
    assert (0, "") == (ended.code, ended.stderr), ended
    return ended.document


class TestAgenda:
    def test_every_item_says_what_when_how_strongly_and_where_it_stands(
        self, program: Program
    ) -> None:
        document = ask(program, "agenda", "--at", "2023-04-01", "--rollout", "rrs-2023")
        assert "2023-04-01T00:00:00+08:00" == document["at"]
        first = document["items"][0]
        assert {
            "id": "rrs-2023/registration/connectivity-sessions",
            "kind": "registration",
            "from": None,
            "to": None,
            "due": "2023-04-06T18:00:00+08:00",
            "grade": None,
            "state": "due",
        }.items() <= first.items()
        assert {"circular", "place"} == first["source"].keys()
        kinds = {item["kind"] for item in document["items"]}
        assert {"registration", "session", "obligation"} == kinds

    def test_a_session_has_both_ends_and_an_approximate_one_says_so(self, program: Program) -> None:
        document = ask(program, "agenda", "--at", "2023-11-25", "--audience", "ep")
        found = {item["id"].split("/")[-1]: item for item in document["items"]}
        failover = found["ps2-failover"]
        assert ("2023-11-25T10:00:00+08:00", "exact") == (
            failover["from"],
            failover["from_certainty"],
        )
        assert ("2023-11-25T11:00:00+08:00", "approximate") == (
            failover["to"],
            failover["to_certainty"],
        )
        assert failover["due"] is None

    def test_the_days_ahead_and_the_past_are_chosen(self, program: Program) -> None:
        asked = ("agenda", "--at", "2023-04-16", "--rollout", "rrs-2023")
        dated = [item["id"] for item in ask(program, *asked, "--days", "2")["items"]]
        assert "rrs-2023/obligation/daily-download-and-back-up/2023-04-18" == dated[-1]
        states = {item["state"] for item in ask(program, *asked, "--all")["items"]}
        assert {"over", "overdue", "due", "coming"} == states

    def test_with_nothing_to_do_it_says_so(self, program: Program) -> None:
        asked = ("agenda", "--at", "2026-01-01", "--rollout", "rrs-2023")
        assert [] == ask(program, *asked)["items"]
        assert "nothing is open, due or coming" in program.here(*asked).words

    def test_a_person_reads_when_what_and_where(self, program: Program) -> None:
        ended = program.here("agenda", "--at", "2023-04-01T18:00", "--rollout", "rrs-2023")
        assert 0 == ended.code
        for words in (
            "by Thu 2023-04-06 18:00 (due, 5 d left)",
            "Sat 2023-04-15 14:30 to 15:30 (coming in 13 d 20 h)",
            "session Secondary Data Centre (Session 1), optional",
            "on Mon 2023-04-17",
            "[rrs-2023/registration/connectivity-sessions: second paragraph",
        ):
            assert words in ended.words

    def test_a_calendar_is_written_and_replaced(self, program: Program) -> None:
        pytest.importorskip("icalendar")
        asked = ("agenda", "--at", "2023-04-01", "--rollout", "rrs-2023", "--ics", "desk.ics")
        document = ask(program, *asked)
        file = program.home / "desk.ics"
        assert ("desk.ics", len(document["items"]), []) == tuple(document["ics"].values())
        first = file.read_bytes()
        assert first.startswith(b"BEGIN:VCALENDAR\r\n")
        ask(program, *asked)
        assert first == file.read_bytes()
        assert ["desk.ics"] == [path.name for path in program.home.iterdir()]

    def test_a_calendar_that_cannot_be_written_leaves_nothing(self, program: Program) -> None:
        pytest.importorskip("icalendar")
        asked = ("agenda", "--at", "2023-04-01", "--json", "--ics")
        require_refused(program.here(*asked, "no/desk.ics"), 6, "StoreError", "it is not there")
        (program.home / "folder").mkdir()
        require_refused(program.here(*asked, "folder"), 6, "StoreError", "folder")
        assert [] == list((program.home / "folder").iterdir())
        assert ["folder"] == [path.name for path in program.home.iterdir()]

    def test_without_icalendar_it_says_what_to_install(
        self, program: Program, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delitem(sys.modules, "hkex_ops.render.ics", raising=False)
        monkeypatch.setitem(sys.modules, "icalendar", None)
        ended = program.here("agenda", "--at", "2023-04-01", "--ics", "desk.ics")
        require_refused(ended, 6, "ConfigError", "pip install 'hkex-ops[ics]'")
        assert [] == list(program.home.iterdir())

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("--days", "-1"), "--days -1 is none of 0 to"),
            (("--audience", "XP"), "no paper names an audience 'XP'"),
            (("--rollout", "rrs-2033"), "did you mean 'rrs-2023'?"),
            (("--at", "2028-06-01"), ""),
        ],
    )
    def test_a_question_that_makes_no_sense(
        self, program: Program, arguments: tuple[str, ...], said: str
    ) -> None:
        ended = program.here("agenda", *arguments, "--json")
        if said:
            require_refused(ended, 2, "UsageError", said)
        else:
            assert 0 == ended.code


class TestMay:
    def test_a_rule_for_another_audience_does_not_apply(self, program: Program) -> None:
        asked = ("may", "renew-ssh-key", "--at", "2023-04-20", "--json", "--audience")
        assert [(3, "deny"), (0, "allow")] == [
            (ended.code, ended.document["decision"])
            for ended in (program.here(*asked, "cp"), program.here(*asked, "EP"))
        ]

    @pytest.mark.parametrize(
        ("decision", "action", "at"),
        [
            ("deny", "change-password", "2019-05-07T10:00"),
            ("deny", "power-off-network-gateway", "2019-05-07T10:00"),
            ("deny", "enable-dcass-service", "2019-05-07T10:00"),
            ("deny", "post-trade-activity", "2019-05-05T10:00"),
            ("allow", "post-trade-activity", "2019-05-07T10:00"),
            ("allow", "power-off-network-gateway", "2019-05-18T01:45"),
        ],
    )
    def test_the_stabilisation_of_2019_forbids_what_its_paper_says(
        self, program: Program, decision: str, action: str, at: str
    ) -> None:
        ended = program.here("may", action, "--at", at, "--json")
        assert (decision, 3 if decision == "deny" else 0) == (
            ended.document["decision"],
            ended.code,
        )


class TestConnections:
    def test_a_client_is_told_site_addresses_and_why(self, program: Program) -> None:
        document = ask(program, "connections", "rrs", "--at", "2023-04-15T15:00")
        assert ("RRS", "2023-04-15T15:00:00+08:00", "secondary") == (
            document["service"],
            document["at"],
            document["site"],
        )
        assert [
            ("10.152.14.121", 10022, ["HSN", "SDNET"], None),
            ("10.152.14.122", 10022, ["HSN", "SDNET"], None),
        ] == [
            (one["host"], one["port"], one["network"], one["url"])
            for one in document["connections"]
        ]
        assert "Session 1" in document["why"]

    def test_during_the_failover_there_is_no_site(self, program: Program) -> None:
        asked = ("connections", "OMD-C", "--at", "2023-11-25T10:30")
        document = ask(program, *asked)
        assert (None, []) == (document["site"], document["connections"])
        assert "no site can be used" in document["why"]
        assert "OMD-C at Sat 2023-11-25 10:30: no site can be used" in program.here(*asked).words

    def test_where_no_address_is_stated_it_says_why(self, program: Program) -> None:
        document = ask(program, "connections", "OTP-C", "--at", "2024-02-01")
        assert ("primary", []) == (document["site"], document["connections"])
        assert "states no address" in document["why"]

    def test_the_lines_for_the_host_table_and_nothing_else(self, program: Program) -> None:
        asked = ("connections", "DCASS-Online", "--hosts", "--at", "2019-05-05T10:00")
        lines = [
            "10.151.14.155 pgencdw001.hkex.com.hk",
            "10.151.14.156 pgencdw002.hkex.com.hk",
            "10.151.14.101 pgenrgw001.hkex.com.hk",
            "10.151.14.102 pgenrgw002.hkex.com.hk",
        ]
        assert lines == program.here(*asked).stdout.splitlines()
        assert lines == ask(program, *asked)["hosts"]

    def test_without_names_the_host_table_gets_a_comment(self, program: Program) -> None:
        ended = program.here("connections", "RRS", "--hosts", "--at", "2023-05-01")
        assert "# RRS: the paper states no host names\n" == ended.stdout

    def test_an_unknown_service_names_the_nearest(self, program: Program) -> None:
        ended = program.here("connections", "OMDC", "--json")
        require_refused(ended, 2, "UsageError", "did you mean OMD-C")


class TestStatus:
    def test_the_four_answers_are_in_one_document(self, program: Program) -> None:
        document = ask(program, "status", "--at", "2023-04-20T10:00", "--rollout", "rrs-2023")
        assert "2023-04-21T00:00:00+08:00" == document["nearest"]["due"]
        assert 14 * 3600 == document["remaining_s"]
        assert ["renew-ssh-key"] == [rule["action"] for rule in document["restrictions"]]
        assert [("RRS", "primary")] == [
            (one["service"], one["site"]) for one in document["connections"]
        ]
        assert [("daily", 10, 4)] == [
            (one["kind"], one["days"], one["days_begun"]) for one in document["proofs"]
        ]
        assert 7 == len(document["items"])

    @pytest.mark.parametrize(
        "at",
        ["2019-05-04T10:00", "2019-05-05T10:00", "2019-05-07", "2023-04-20", "2023-11-25T10:30"],
    )
    def test_the_screen_keeps_to_80_columns(self, program: Program, at: str) -> None:
        narrow = attrs.evolve(program, more={"COLUMNS": "80"})
        text = narrow.here("status", "--at", at).stdout
        assert ["1.", "2.", "3.", "4."] == [
            line[:2] for line in text.splitlines() if line[:1].isdigit()
        ]
        assert "nearest deadline in " in text or at == "2023-11-25T10:30"
        assert [] == [line for line in text.splitlines() if len(line) > 80]

    def test_a_daily_duty_takes_one_line(self, program: Program) -> None:
        words = program.here("status", "--at", "2023-04-20T10:00").words
        assert 1 == words.count("download and back up the DCASS reports (daily)")
        assert "nearest deadline in 14 h: download" in words

    def test_on_a_quiet_day_it_says_so(self, program: Program) -> None:
        words = program.here("status", "--at", "2023-02-01", "--rollout", "backbone-ps2-2023").words
        assert "nothing is open, due or coming" in words
        assert "nothing that a known paper speaks of" in words
        assert "OTP-C, OTP-CSC, OMD-C, OMD-CC: primary, no address stated" in words


class TestRolloutFiles:
    def test_the_starting_file_is_written_once_and_passes(self, program: Program) -> None:
        assert 0 == program.here("rollouts", "new", "-o", "next.toml").code
        text = (program.home / "next.toml").read_text(encoding="utf-8")
        checked = ask(program, "rollouts", "check", "next.toml")
        assert ("next-circular", []) == (checked["rollout"], checked["faults"])
        again = program.here("rollouts", "new", "-o", "next.toml", "--json")
        require_refused(again, 6, "StoreError", "nothing is ever overwritten")
        assert text == (program.home / "next.toml").read_text(encoding="utf-8")
        assert ["next.toml"] == [path.name for path in program.home.iterdir()]

    def test_without_a_name_it_goes_to_stdout(self, program: Program) -> None:
        printed = program.here("rollouts", "new").stdout
        assert printed == ask(program, "rollouts", "new")["text"]
        assert [] == list(program.home.iterdir())

    def test_a_faulty_file_exits_1_with_every_fault_and_its_path(self, program: Program) -> None:
        (program.home / "next.toml").write_text(FAULTY, encoding="utf-8")
        ended = program.here("rollouts", "check", "next.toml", "--json")
        assert (1, "", None) == (ended.code, ended.stderr, ended.document["rollout"])
        assert [
            ("registrations[0].due", "2026-09-13 is a Sunday, the file says Monday"),
            (
                "restrictions[0].action",
                "unknown action 'renew-ssh-keys'; did you mean 'renew-ssh-key'?",
            ),
            (
                "restrictions[0].window",
                "is missing: a restriction has a period, and this one has none",
            ),
        ] == [(fault["path"], fault["message"]) for fault in ended.document["faults"]]
        spoken = program.here("rollouts", "check", "next.toml")
        assert 1 == spoken.code
        assert "next.toml has 3 faults" in spoken.words

    def test_what_is_no_toml_is_a_finding_too(self, program: Program) -> None:
        (program.home / "next.toml").write_text("= nothing", encoding="utf-8")
        ended = program.here("rollouts", "check", "next.toml", "--json")
        [fault] = ended.document["faults"]
        assert (1, "") == (ended.code, fault["path"])
        assert "is not TOML" in fault["message"]

    def test_a_file_that_is_not_there_is_no_finding(self, program: Program) -> None:
        ended = program.here("rollouts", "check", "nowhere.toml", "--json")
        require_refused(ended, 6, "ConfigError", "there is no rollout file at nowhere.toml")


PLUGIN = """\
from hkex_ops.hookspecs import hookimpl
from hkex_ops.ports import RolloutDocument

TEXT = {text!r}

@hookimpl
def hkex_ops_rollouts():
    return [RolloutDocument("next-circular", TEXT)]
"""


class TestPluginsOfPapers:
    @pytest.fixture
    def more(self, program: Program, tmp_path: Path) -> Program:
        text = program.here("rollouts", "new").stdout
        return self.with_plugin(program, tmp_path, text)

    @staticmethod
    def with_plugin(program: Program, tmp_path: Path, text: str) -> Program:
        site = tmp_path / "site"
        folder_source.install(site, "more-papers", text=PLUGIN.format(text=text))
        return attrs.evolve(program, path=(site,))

    def test_every_question_answers_from_a_plugins_paper(self, more: Program) -> None:
        listed = [one["id"] for one in more.run("rollouts", "list", "--json").document["rollouts"]]
        assert "next-circular" in listed
        at = ("--at", "2026-09-12T15:00", "--json")
        found = more.run("connections", "RRS", *at).document
        assert ("secondary", ["192.0.2.21"]) == (
            found["site"],
            [one["host"] for one in found["connections"]],
        )
        agenda = more.run("agenda", *at, "--rollout", "next-circular").document
        assert "next-circular/session/session-1" == agenda["items"][0]["id"]
        assert 3 == more.run("may", "renew-ssh-key", "--at", "2026-09-15").code
        [row] = more.run("plugins", "--json").document["plugins"]
        assert (["rollout next-circular"], None) == (row["offers"], row["fault"])

    def test_a_broken_one_is_a_warning_and_the_others_answer(
        self, program: Program, tmp_path: Path
    ) -> None:
        text = program.here("rollouts", "new").stdout.replace("(Saturday)", "(Sunday)")
        broken = self.with_plugin(program, tmp_path, text)
        ended = broken.run("may", "renew-ssh-key", "--at", "2023-04-20", "--json")
        assert (3, "deny") == (ended.code, ended.document["decision"])
        assert ended.stderr.startswith("hkex-ops: warning: plug-in more-papers, hook ")
        assert 1 == len(ended.stderr.splitlines())
        ended = broken.run("plugins", "--json")
        assert 1 == ended.code
        assert "is a Saturday, the file says Sunday" in ended.document["plugins"][0]["fault"]
        ended = broken.run("agenda", "--rollout", "next-circular", "--json")
        assert (6, "PluginError") == (ended.code, ended.document["error"]["kind"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("agenda", "--at", "2023-04-01T02:00Z"),
        ("connections", "RRS", "--at", "2023-04-15T07:00Z"),
        ("status", "--at", "2019-05-05T02:00Z"),
    ],
    ids=" ".join,
)
def test_every_time_in_a_document_has_hong_kongs_offset(
    program: Program, arguments: tuple[str, ...]
) -> None:
    found = times_of(ask(program, *arguments))
    assert found
    assert {"UTC+08:00"} == {str(time.tzinfo) for time in found}
