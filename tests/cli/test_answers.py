"""What ``may``, ``calendar``, ``rollouts`` and ``plugins`` answer, to a program and to a person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import attrs
import pytest

from hkex_ops.config.shipped import load_calendar, load_rollouts
from hkex_ops.model import Effect
from tests.cli.desk import Desk
from tests.cli.program import Ended, Program, require_refused, times_of

HONG_KONGS = timedelta(hours=8)


@pytest.fixture
def two_rollouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second rollout beside the shipped one, with effects that rrs-2023 does not use."""
    shipped = load_rollouts(load_calendar())
    [rule] = shipped["rrs-2023"].restrictions
    invented = attrs.evolve(
        shipped["rrs-2023"],
        id="invented",
        restrictions=(
            attrs.evolve(
                rule,
                id="only-some",
                action="change-user-profile",
                effect=Effect.LIMITED_TO,
                limit="one user",
            ),
            attrs.evolve(rule, id="by-phone", effect=Effect.ONLY_VIA, limit="the hotline"),
        ),
    )
    both = {**shipped, invented.id: invented}
    monkeypatch.setattr("hkex_ops.flows.papers.load_rollouts", lambda calendar: both)


def ask(program: Program, action: str, at: str, *more: str) -> Ended:
    return program.here("may", action, "--at", at, "--json", *more)


class TestMay:
    def test_a_denial_is_an_answer_with_the_rule_in_the_papers_words(
        self, program: Program
    ) -> None:
        ended = ask(program, "renew-ssh-key", "2023-04-20T10:00")
        assert (3, "") == (ended.code, ended.stderr)
        document = ended.document
        assert ("renew-ssh-key", "2023-04-20T10:00:00+08:00", "deny") == (
            document["action"],
            document["at"],
            document["decision"],
        )
        [rule] = document["rules"]
        assert {
            "rule": "CPs should NOT renew their secure shell keys in Report Retrieval Solution",
            "effect": "prohibited",
            "from": "2023-04-17T00:00:00+08:00",
            "until": "2023-04-29T00:00:00+08:00",
            "source": {"circular": "CD/OEC/HKCC/073/2023", "place": "third paragraph, (ii)"},
        }.items() <= rule.items()

    @pytest.mark.parametrize(
        ("at", "understood"),
        [
            ("2023-04-20T10:00", "2023-04-20T10:00:00+08:00"),
            ("2023-04-20", "2023-04-20T00:00:00+08:00"),
            ("2023-04-20T10:00+08:00", "2023-04-20T10:00:00+08:00"),
            ("2023-04-20T02:00Z", "2023-04-20T10:00:00+08:00"),
            ("2023-04-19T22:00:00-04:00", "2023-04-20T10:00:00+08:00"),
        ],
    )
    def test_a_time_without_offset_is_hong_kongs_and_one_with_offset_is_converted(
        self, program: Program, at: str, understood: str
    ) -> None:
        assert understood == ask(program, "renew-ssh-key", at).document["at"]

    @pytest.mark.parametrize(
        ("at", "decision", "code"),
        [
            ("2023-04-16T23:59:59", "allow", 0),
            ("2023-04-16T16:00:00Z", "deny", 3),
            ("2023-04-28T23:59:59.999999", "deny", 3),
            ("2023-04-29", "allow", 0),
        ],
    )
    def test_the_rule_holds_whole_hong_kong_days(
        self, program: Program, at: str, decision: str, code: int
    ) -> None:
        ended = ask(program, "renew-ssh-key", at)
        assert (code, decision) == (ended.code, ended.document["decision"])
        assert bool(code) == bool(ended.document["rules"])

    @pytest.mark.usefixtures("two_rollouts")
    def test_what_is_limited_exits_0(self, program: Program) -> None:
        ended = ask(program, "change-user-profile", "2023-04-20")
        assert (0, "limited") == (ended.code, ended.document["decision"])
        assert [("limited_to", "one user")] == [
            (rule["effect"], rule["limit"]) for rule in ended.document["rules"]
        ]

    @pytest.mark.usefixtures("two_rollouts")
    def test_all_rollouts_count_unless_one_is_named(self, program: Program) -> None:
        both = ask(program, "renew-ssh-key", "2023-04-20")
        assert ["prohibited", "only_via"] == [rule["effect"] for rule in both.document["rules"]]
        assert 3 == both.code
        one = ask(program, "renew-ssh-key", "2023-04-20", "--rollout", "invented")
        assert (0, ["only_via"]) == (one.code, [rule["effect"] for rule in one.document["rules"]])

    def test_a_person_reads_the_rule_where_it_stands_and_how_long_it_holds(
        self, program: Program
    ) -> None:
        ended = program.here("may", "renew-ssh-key", "--at", "2023-04-20T10:00")
        assert 3 == ended.code
        for words in (
            "renew-ssh-key at Thu 2023-04-20 10:00: DENIED",
            "“CPs should NOT renew their secure shell keys in Report Retrieval Solution”",
            "Mon 2023-04-17 00:00 to end of Fri 2023-04-28",
            "CD/OEC/HKCC/073/2023, third paragraph, (ii)",
        ):
            assert words in ended.words

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("renew-ssh-keys",), "did you mean renew-ssh-key?"),
            (("fly",), "known: renew-ssh-key, "),
            (("renew-ssh-key", "--rollout", "rrs-2033"), "did you mean 'rrs-2023'?"),
            (("renew-ssh-key", "--at", "tomorrow"), "write it as 2023-04-20T10:00"),
            (("renew-ssh-key", "--at", "2023-02-29"), "is no ISO 8601 time"),
        ],
    )
    def test_a_question_that_makes_no_sense_is_said_with_what_would(
        self, program: Program, arguments: tuple[str, ...], said: str
    ) -> None:
        require_refused(program.here("may", *arguments), 2, "UsageError", said)
        require_refused(program.here("may", *arguments, "--json"), 2, "UsageError", said)


def day(program: Program, text: str) -> dict[str, Any]:
    ended = program.here("calendar", text, "--json")
    assert (0, "") == (ended.code, ended.stderr)
    return ended.document


def spans(document: dict[str, Any], market: str) -> list[tuple[str, str, str]]:
    return [(one["name"], one["from"], one["to"]) for one in document[market]]


class TestCalendar:
    def test_the_hours_of_an_old_day_are_those_of_its_time(self, program: Program) -> None:
        found = day(program, "2010-01-22")
        assert ("2010-01-22", True) == (found["date"], found["trading_day"])
        assert [
            ("morning", "2010-01-22T10:00:00+08:00", "2010-01-22T12:30:00+08:00"),
            ("afternoon", "2010-01-22T14:30:00+08:00", "2010-01-22T16:00:00+08:00"),
        ] == spans(found, "securities")[1:]
        assert found["source"]

    @pytest.mark.parametrize(
        ("text", "trading"),
        [
            ("2023-09-01", False),
            ("2023-09-08", False),
            ("2023-10-09", True),
            ("2024-11-14", True),
            ("2023-04-15", False),
        ],
    )
    def test_closed_days_have_no_session_and_every_day_says_how_it_is_known(
        self, program: Program, text: str, trading: bool
    ) -> None:
        found = day(program, text)
        assert trading is found["trading_day"]
        assert trading is bool(found["securities"]) is bool(found["derivatives"])
        assert found["source"]

    def test_a_day_that_opens_late_has_no_session_before(self, program: Program) -> None:
        late, usual = day(program, "2023-10-09"), day(program, "2023-10-10")
        assert spans(usual, "securities")[0][1][10:] < spans(late, "securities")[0][1][10:]

    @pytest.mark.parametrize("text", ["2008-12-31", "2050-01-03"])
    def test_a_date_outside_the_tables_is_never_guessed(self, program: Program, text: str) -> None:
        for as_json in ([], ["--json"]):
            ended = program.here("calendar", text, *as_json)
            require_refused(ended, 2, "OutsideCalendar", text, "calendar.file")

    @pytest.mark.parametrize("text", ["yesterday", "2023-02-29", "20", "2023-04-14T10:00"])
    def test_what_is_no_date_is_said(self, program: Program, text: str) -> None:
        require_refused(program.here("calendar", text, "--json"), 2, "UsageError", repr(text))

    def test_an_operators_own_day_lies_over_the_tables(self, desk: Desk) -> None:
        (desk.home / "days.toml").write_text(
            '[[sources]]\nid = "OWN"\nkind = "user"\ntitle = "Own notice"\nconfirmed = true\n'
            '[[days]]\ndate = 2023-04-14\nweekday = "Friday"\nkind = "closed"\n'
            'name = "Own closure"\nsource = "OWN"\nconfirmed = true\n',
            encoding="utf-8",
        )
        desk.configure(more='[calendar]\nfile = "days.toml"')
        ended = desk.program.here("calendar", "2023-04-14", "--config", desk.config, "--json")
        assert ended.document["trading_day"] is False, ended
        assert "Own notice" == ended.document["source"]


class TestRollouts:
    def test_each_rollout_is_listed_with_its_circulars(self, program: Program) -> None:
        ended = program.here("rollouts", "list", "--json")
        assert (0, "") == (ended.code, ended.stderr)
        circulars = {one["id"]: one["circulars"] for one in ended.document["rollouts"]}
        assert ["CD/OEC/HKCC/073/2023"] == circulars["rrs-2023"]

    def test_a_rollout_is_shown_whole_with_every_time_resolved(self, program: Program) -> None:
        document = program.here("rollouts", "show", "rrs-2023", "--json").document
        assert "rrs-2023" == document["id"]
        windows = [session["window"] for session in document["sessions"]]
        assert ["2023-04-15T14:30:00+08:00", "2023-04-15T16:30:00+08:00"] == sorted(
            window["from"] for window in windows
        )

    @pytest.mark.parametrize("id", ["rrs-2023", "hkats-dcass-2019", "backbone-ps2-2023"])
    def test_shown_with_sources_each_fact_says_where_the_paper_states_it(
        self, program: Program, id: str
    ) -> None:
        rollout = load_rollouts(load_calendar())[id]
        plainly = program.here("rollouts", "show", id).words
        cited = program.here("rollouts", "show", id, "--sources").words
        facts = (
            *(*rollout.phases, *rollout.sessions, *rollout.registrations, *rollout.connections),
            *(*rollout.requirements, *rollout.restrictions, *rollout.retentions, *rollout.forms),
            *(*rollout.checklist, *rollout.announcements, *rollout.contacts, *rollout.systems),
        )
        places = {f"[{fact.source.place}]" for fact in facts}
        assert [] == [place for place in places if " ".join(place.split()) not in cited]
        assert [] == [place for place in places if place in plainly]

    def test_an_unknown_rollout_names_the_nearest(self, program: Program) -> None:
        ended = program.here("rollouts", "show", "rrs-2033", "--json")
        require_refused(ended, 2, "UsageError", "did you mean 'rrs-2023'?")


class TestPlugins:
    def test_without_any_the_list_is_empty(self, program: Program) -> None:
        ended = program.here("plugins", "--json")
        assert (0, {"plugins": []}) == (ended.code, ended.document)

    def test_each_says_what_it_offers_and_that_nothing_is_wrong(self, desk: Desk) -> None:
        ended = desk.program.here("plugins", "--json")
        assert (0, "") == (ended.code, ended.stderr)
        assert [
            {
                "name": "folder_source",
                "distribution": "folder-source",
                "version": "1.0",
                "offers": ["report source folder"],
                "fault": None,
            }
        ] == ended.document["plugins"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("may", "renew-ssh-key", "--at", "2023-04-20T02:00Z"),
        ("may", "renew-ssh-key"),
        ("calendar", "2024-11-14"),
        ("rollouts", "show", "rrs-2023"),
    ],
    ids=" ".join,
)
def test_every_time_in_a_document_is_hong_kongs_with_its_offset(
    program: Program, arguments: tuple[str, ...]
) -> None:
    found = times_of(program.here(*arguments, "--json").document)
    assert found
    assert {HONG_KONGS} == {time.utcoffset() for time in found}
