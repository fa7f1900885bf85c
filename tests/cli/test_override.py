"""``hkex-ops override``: two people set a rule aside for a while; `may` and the desk honour it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from hkex_ops.clock import ManualClock
from hkex_ops.config.shipped import rollout_template
from hkex_ops.flows.journal import read_journal
from hkex_ops.model import HONG_KONG
from tests.cli import circular_source, folder_source
from tests.cli.desk import CATALOGUE, Desk
from tests.cli.program import Ended, Program, require_refused

RENEW = "renew-ssh-key"
AGREED = ("--reason", "key compromised", "--by", "陳大文", "--second", "head of operations")
UNTIL = ("--until", "2023-04-20T12:00")
AT_TEN = ("--at", "2023-04-20T10:00")


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock(datetime(2023, 4, 20, 9, tzinfo=HONG_KONG))
    monkeypatch.setattr("hkex_ops.cli.working.system_clock", lambda: clock)


def override(program: Program, *words: str) -> Ended:
    return program.here("override", *words, "--json")


def work(program: Program) -> Path:
    return program.home / ".local" / "state" / "hkex-ops" / "work"


def kinds(program: Program, rollout: str = "rrs-2023") -> list[str]:
    return [entry.kind for entry in read_journal(work(program), rollout)]


def test_it_is_kept_with_both_people_and_the_rule_that_it_sets_aside(program: Program) -> None:
    ended = override(program, RENEW, *AGREED, *UNTIL)
    assert (0, [{"rollout": "rrs-2023", "number": 1}]) == (ended.code, ended.document["granted"])
    [row] = ended.document["overrides"]
    assert {
        "rollout": "rrs-2023",
        "number": 1,
        "action": RENEW,
        "state": "in force",
        "reason": "key compromised",
        "by": "陳大文",
        "second": "head of operations",
        "from": "2023-04-20T09:00:00+08:00",
        "until": "2023-04-20T12:00:00+08:00",
        "recorded": "2023-04-20T09:00:00+08:00",
        "withdrawn": None,
    } == {key: value for key, value in row.items() if key != "rules"}
    assert ["no-key-renewal"] == [rule["id"] for rule in row["rules"]]
    assert ["override-granted"] == kinds(program)


def test_may_shows_the_act_denied_but_overridden_and_exits_0_until_it_expires(
    program: Program,
) -> None:
    asked = ("may", RENEW, "--json", "--at")
    assert 3 == program.here(*asked, "2023-04-20T10:00").code
    override(program, RENEW, *AGREED, *UNTIL)
    ended = program.here(*asked, "2023-04-20T10:00")
    assert (0, "deny", True) == (
        ended.code,
        ended.document["decision"],
        ended.document["overridden"],
    )
    [told] = ended.document["overrides"]
    assert ("陳大文", "head of operations", ["no-key-renewal"]) == (
        told["by"],
        told["second"],
        told["rules"],
    )
    for outside in ("2023-04-20T08:59", "2023-04-20T12:00"):
        ended = program.here(*asked, outside)
        assert (3, False, []) == (
            ended.code,
            ended.document["overridden"],
            ended.document["overrides"],
        )
    said = program.here("may", RENEW, *AT_TEN).words
    assert "DENIED, but OVERRIDDEN" in said
    assert "set aside until Thu 2023-04-20 12:00 by 陳大文, agreed by head of operations" in said


def test_the_status_shows_it_beside_the_rule(program: Program) -> None:
    override(program, RENEW, *AGREED, *UNTIL)
    ended = program.here("status", "--rollout", "rrs-2023", *AT_TEN, "--json")
    assert [True] == [one["overridden"] for one in ended.document["restrictions"]]
    said = program.here("status", "--rollout", "rrs-2023", *AT_TEN).words
    assert "SET ASIDE until Thu 2023-04-20 12:00" in said


def test_it_is_listed_whatever_became_of_it(program: Program) -> None:
    assert [] == override(program).document["overrides"]
    assert "no override is recorded" == program.here("override").words
    override(program, RENEW, *AGREED, *UNTIL)
    ended = override(program, RENEW, "--withdraw", "--by", "desk", "--reason", "it was safe")
    assert ["withdrawn"] == [one["state"] for one in ended.document["overrides"]]
    override(program, RENEW, *AGREED, *UNTIL)
    states = [
        [one["state"] for one in override(program, "--at", at).document["overrides"]]
        for at in ("2023-04-20T08:00", "2023-04-20T10:00", "2023-04-21T00:00")
    ]
    assert [["coming", "coming"], ["withdrawn", "in force"], ["withdrawn", "expired"]] == states
    said = program.here("override", *AT_TEN).words
    for words in ("override 1): WITHDRAWN", "override 2): IN FORCE", "desk: it was safe"):
        assert words in said
    assert [] == override(program, "change-password").document["overrides"]
    assert ["override-granted", "override-withdrawn", "override-granted"] == kinds(program)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((RENEW, "--by", "a"), "missing: --reason, --second, --until"),
        (("--reason", "r", "--by", "a", "--second", "b", *UNTIL), "missing: ACTION"),
        ((RENEW, *AGREED[:-1], " 陳 大文", *UNTIL), "needs a second person, and 陳大文 is both"),
        ((RENEW, *AGREED, "--until", "2023-04-20T09:00"), "would be over before it begins"),
        ((RENEW, *AGREED, "--until", "noon"), "--until 'noon' is no ISO 8601 time"),
        ((RENEW, *AGREED, *UNTIL, "--at", "2023-04-20T09:01"), "ahead of time"),
        (("renew-shh-key", *AGREED, *UNTIL), "did you mean renew-ssh-key?"),
        (
            ("change-password", *AGREED, *UNTIL),
            "no rule of any known paper forbids change-password from 2023-04-20T09:00",
        ),
        (
            (RENEW, *AGREED, *UNTIL, "--rollout", "backbone-ps2-2023"),
            "no rule of backbone-ps2-2023 forbids renew-ssh-key",
        ),
        ((RENEW, *AGREED, *UNTIL, "--rollout", "rrs-2022"), "did you mean 'rrs-2023'"),
        ((RENEW, "--withdraw", "--by", "a", "--reason", "b"), "no override of renew-ssh-key is in"),
        (("--withdraw", "--by", "a", "--reason", "b"), "name the act"),
        ((RENEW, "--withdraw", *AGREED), "leave --second and --until out"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_kept(
    program: Program, words: tuple[str, ...], said: str
) -> None:
    require_refused(override(program, *words), 2, "UsageError", said)
    assert not work(program).exists()


def test_papers_that_forbid_one_act_keep_the_record_each(program: Program) -> None:
    """The desk's own file forbids the act on the same days."""
    window = '{ from = "2023-04-17 (Monday)", to = "2023-04-28 (Friday)" }'
    text = rollout_template()
    head, mark, rule = text.partition("[[restrictions]]")
    _, _, rest = rule.partition("}")
    own = head + mark + rule[: rule.index("window = ")] + f"window = {window}" + rest
    (program.home / "own.toml").write_text(own, encoding="utf-8")
    (program.home / "config.toml").write_text('[rollouts]\nfiles = ["own.toml"]\n')
    config = ("--config", "config.toml")
    ended = override(program, RENEW, *AGREED, *UNTIL, *config)
    papers = ["next-circular", "rrs-2023"]
    assert papers == sorted(one["rollout"] for one in ended.document["granted"])
    assert [["override-granted"], ["override-granted"]] == [kinds(program, one) for one in papers]
    assert 0 == program.here("may", RENEW, *AT_TEN, *config).code


# -- whoever does an act asks first ------------------------------------------------------------


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk whose report source is of a service that a paper forbids at the secondary site."""
    site, home = tmp_path / "site", tmp_path / "desk"
    folder_source.install(site, "circular-source", module=circular_source.__name__)
    (home / "exchange").mkdir(parents=True)
    (home / "catalogue.toml").write_text(CATALOGUE.replace('"RRS"', '"DCASS-Online"'), "utf-8")
    desk = Desk(Program(home, (site,)), home / "config.toml")
    desk.configure(
        source='adapter = "circular"\nservice = "DCASS-Online"\ndrill_reports = ["TP001"]',
        more='[work]\nfolder = "work"',
    )
    desk.publish_day()
    return desk


@pytest.fixture
def verifying(monkeypatch: pytest.MonkeyPatch) -> None:
    """The morning on which nobody may use the secondary site."""
    clock = ManualClock(datetime(2019, 5, 5, 10, tzinfo=HONG_KONG))
    for module in ("working", "report_desk"):
        monkeypatch.setattr(f"hkex_ops.cli.{module}.system_clock", lambda: clock)


@pytest.mark.usefixtures("verifying")
def test_a_client_asks_before_it_goes_to_the_secondary_site(desk: Desk) -> None:
    fetch = ("fetch", "--business-date", "2019-05-03")
    assert 0 <= desk.reports(*fetch, "--site", "primary").code <= 1
    denied = desk.reports(*fetch, "--site", "secondary")
    assert (3, "deny", "use-secondary-site") == (
        denied.code,
        denied.document["decision"],
        denied.document["action"],
    )
    assert "Secondary data centre is not available" in denied.document["rule"]
    assert "2019-05-05T12:00:00+08:00" == denied.document["until"]
    agreed = ("--reason", "HKEX asked for it", "--by", "a", "--second", "b")
    config = ("--config", str(desk.config))
    granted = desk.program.here(
        "override", "use-secondary-site", *agreed, "--until", "2019-05-05T11:00", *config, "--json"
    )
    assert ["hkats-dcass-2019"] == [one["rollout"] for one in granted.document["granted"]]
    assert 3 != desk.reports(*fetch, "--site", "secondary").code
    entries = read_journal(desk.home / "work", "hkats-dcass-2019")
    assert ["override-granted", "rule-overridden"] == [entry.kind for entry in entries]
