"""``hkex-ops clearing``: what each command answers, keeps and refuses."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from hkex_ops import HONG_KONG, ManualClock
from hkex_ops.flows.store import Archive
from tests.cli import gateway_source
from tests.cli.clearing_desk import ANSWERS, AT, OURS, ClearingDesk, trade
from tests.cli.folder_source import install
from tests.cli.program import Program, require_refused
from tests.store.reports import place


@pytest.fixture
def desk(tmp_path: Path) -> ClearingDesk:
    site, home = tmp_path / "site", tmp_path / "desk"
    install(site, "gateway-source", module=gateway_source.__name__)
    home.mkdir()
    desk = ClearingDesk(Program(home, (site,)))
    desk.configure()
    return desk


# -- check ---------------------------------------------------------------------------------------


def test_check_logs_in_at_every_gateway_and_keeps_evidence(desk: ClearingDesk) -> None:
    """Both gateways of the circular of 2019, which states no port."""
    ended = desk.clearing("check", "--at", AT, "--evidence", desk.home / "proof", "--json")
    found = ended.document
    assert (0, "passed") == (ended.code, found["outcome"])
    told = [(one["gateway"], one["stated"], one["outcome"]) for one in found["gateways"]]
    assert [("10.151.5.81:15001", True, "passed"), ("10.151.5.82:15001", True, "passed")] == told
    first = found["gateways"][0]
    assert ("HKCSYNBO801", "2019-05-03", 40) == (
        first["user_code"],
        first["business_date"],
        first["days_to_password_expiry"],
    )
    assert 0 == desk.program.here("evidence", "verify", desk.home / "proof").code
    events = events_of(desk.home / "proof")
    asked = {one["body"]["action"]: one["body"] for one in events if one["kind"] == "guard-asked"}
    assert "deny" == asked["post-trade-activity"]["decision"]
    assert "NO post-trade activities is allowed" in asked["post-trade-activity"]["rules"][0]["rule"]


def test_check_shows_a_table(desk: ClearingDesk) -> None:
    ended = desk.clearing("check", "--at", AT)
    assert "2 of 2 gateways of the primary site passed" in ended.words
    assert "10.151.5.82:15001 passed HKCSYNBO801 2019-05-03 in 40 days" in ended.words
    assert "Evidence in evidence/clearing-check-" in ended.words


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("unreachable", "cannot be reached"),
        ("auth", "does not know this user"),
        ("status-times-out", "does not answer"),
    ],
)
def test_check_tells_which_gateway_did_not_let_us_in(
    desk: ClearingDesk, wrong: str, said: str
) -> None:
    """The other one is tried all the same."""
    desk.configure(goes_wrong={"10.151.5.82": wrong})
    ended = desk.clearing("check", "--at", AT, "--json")
    outcomes = [(one["outcome"], one["error"] or "") for one in ended.document["gateways"]]
    assert (1, "passed", "failed") == (ended.code, outcomes[0][0], outcomes[1][0])
    assert said in outcomes[1][1]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({"days": 3}, "the password expires in 3 days"),
        ({"change": "required"}, "the password must be changed"),
        ({"change": "advised"}, "the password is about to expire"),
        ({"business_date": None}, "did not tell its business date"),
        ({"business_date": "2019-05-06"}, "different business dates: 2019-05-03, 2019-05-06"),
    ],
)
def test_check_tells_what_wants_a_persons_eye(
    desk: ClearingDesk, status: dict[str, object], said: str
) -> None:
    desk.far(**{"10.151.5.82": status})
    ended = desk.clearing("check", "--at", AT, "--json")
    assert 1 == ended.code
    assert any(said in one for one in ended.document["gateways"][1]["findings"])


def test_check_misses_a_gateway_that_the_papers_name(desk: ClearingDesk) -> None:
    text = (
        (desk.home / "config.toml").read_text().replace('"10.151.5.82:15001"', '"10.1.1.1:15001"')
    )
    desk.write("config.toml", text)
    ended = desk.clearing("check", "--at", AT, "--json")
    findings = {one["gateway"]: one["findings"] for one in ended.document["gateways"]}
    assert 1 == ended.code
    assert "do not name it" in findings["10.1.1.1:15001"][0]
    assert "not in the configuration" in findings["10.151.5.82"][0]


OWN_RULE = """
id = "own"
title = "A rule of our own"
summary = "The secondary site is closed to OAPI."
services = ["DCASS-OAPI"]
audience = ["CP"]
[[circulars]]
title = "Ours"
issuer = "us"
issued = "2019-04-01"
source = "all of it"
[[restrictions]]
id = "closed"
action = "use-secondary-site"
effect = "prohibited"
rule = "Stay away from the secondary site"
window = { from = "2019-05-05 09:00", to = "open" }
audience = ["CP"]
source = "all of it"
"""


def test_the_secondary_site_is_denied_where_a_rule_forbids_it(desk: ClearingDesk) -> None:
    desk.write("own.toml", OWN_RULE)
    desk.configure('[rollouts]\nfiles = ["own.toml"]')
    ended = desk.clearing("check", "--site", "secondary", "--json")
    assert (3, "use-secondary-site") == (ended.code, ended.document["action"])


def test_the_secondary_site_is_not_what_the_papers_name(desk: ClearingDesk) -> None:
    """The circular sends OAPI users to the primary gateways."""
    text = (desk.home / "config.toml").read_text().replace("10.151.5", "10.152.5")
    desk.write("config.toml", text)
    ended = desk.clearing("check", "--site", "secondary", "--at", AT, "--json")
    assert [["is in the configuration, and the papers in force do not name it"]] * 2 == [
        one["findings"] for one in ended.document["gateways"]
    ]


def test_a_check_on_trial_logs_in_nowhere_and_keeps_nothing(desk: ClearingDesk) -> None:
    desk.configure(goes_wrong={"10.151.5.81": "unreachable"})
    ended = desk.clearing("check", "--at", AT, "--dry-run", "--json")
    assert (0, "dry-run") == (ended.code, ended.document["outcome"])
    assert ["10.151.5.81:15001", "10.151.5.82:15001"] == ended.document["gateways"]
    assert not (desk.home / "evidence").exists()


def test_evidence_that_could_not_be_kept_is_told_before_anybody_logs_in(desk: ClearingDesk) -> None:
    (desk.home / "proof").mkdir()
    desk.configure(goes_wrong={"10.151.5.81": "unreachable"})
    ended = desk.clearing("fetch", "--evidence", "proof")
    assert (6, True) == (ended.code, "evidence is never overwritten" in ended.message)


# -- fetch ---------------------------------------------------------------------------------------


def test_fetch_writes_whole_tables(desk: ClearingDesk) -> None:
    ended = desk.clearing("fetch", "--evidence", desk.home / "proof", "--json")
    assert [2, 1] == [one["rows"] for one in ended.document["tables"]]
    table = (desk.home / "trades-2019-05-03.csv").read_bytes()
    assert hashlib.sha256(table).hexdigest() == ended.document["tables"][0]["sha256"]
    with (desk.home / "trades-2019-05-03.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [("101", "HSI K9", "buy", "28500.5"), ("102", "HSI K9", "sell", "28501")] == [
        (one["trade_number"], one["series"], one["side"], one["price"]) for one in rows
    ]
    with (desk.home / "positions-2019-05-03.csv").open() as file:
        [position] = csv.DictReader(file)
    assert ("0", "7") == (position["long"], position["short"])
    codes = [one["body"]["code"] for one in events_of(desk.home / "proof") if is_gate(one)]
    assert ["DQ8", "CQ10", "CQ10", "CQ3"] == codes


def test_fetch_writes_parquet_that_reconcile_reads(desk: ClearingDesk) -> None:
    pytest.importorskip("duckdb", reason="DuckDB comes with the extra data")
    assert 0 == desk.clearing("fetch", "--kind", "trades", "--format", "parquet").code
    ended = desk.clearing(
        "reconcile", "--ours", "ours.csv", "--theirs", "trades-2019-05-03.parquet"
    )
    assert (0, "trades as of") == (ended.code, ended.words[:12])


@pytest.mark.parametrize(
    ("wrong", "code", "said"),
    [
        ("lost", 4, "the session was lost"),
        ("no-last-page", 6, "ended without its last page; nothing of it is used"),
    ],
)
def test_an_answer_that_is_not_whole_leaves_no_table(
    desk: ClearingDesk, wrong: str, code: int, said: str
) -> None:
    desk.configure(goes_wrong={"10.151.5.81": wrong})
    ended = desk.clearing("fetch", "--json")
    assert code == ended.code
    assert said in ended.document["error"]["message"]
    assert [] == list(desk.home.glob("trades*")) + list(desk.home.glob("positions*"))


def test_a_field_that_the_answer_lacks_is_named(desk: ClearingDesk) -> None:
    """Layouts too short for an answer, or a mapping of another release."""
    short = trade(103)
    del short["deal_price_i"]
    desk.far(answers={"DQ8": [[{"group_c": 1}]], "CQ10": {"1": [[trade(101), short]]}})
    message = require_refused(desk.clearing("fetch", "--kind", "trades"), 6, "ConfigError")
    assert (
        "CA10, answer to CQ10: page 1 item 2, field deal_price_i: is not in the answer" in message
    )


def test_a_value_that_cannot_be_read_is_named(desk: ClearingDesk) -> None:
    odd = trade(103, bought_or_sold_c=9)
    desk.far(answers={"DQ8": [[{"group_c": 1}]], "CQ10": {"1": [[trade(101), odd]]}})
    require_refused(
        desk.clearing("fetch", "--kind", "trades"),
        6,
        "ConfigError",
        "page 1 item 2, field bought_or_sold_c: unknown side '9'; known: 1, 2",
    )


def test_what_the_gate_refused_is_evidence(desk: ClearingDesk) -> None:
    """A mapping that asks for more than an enquiry gets nothing, and leaves its trace."""
    desk.write("answers.toml", ANSWERS.replace('"CQ10"', '"CD35"'))
    ended = desk.clearing("fetch", "--evidence", "proof", "--json")
    assert (3, "CD35") == (ended.code, ended.document["action"])
    events = events_of(desk.home / "proof")
    gate = [one["body"] for one in events if is_gate(one)]
    assert [("DQ8", True), ("CD35", False)] == [(one["code"], one["allowed"]) for one in gate]
    assert ["Denied"] == [one["body"]["error"] for one in events if one["kind"] == "failed"]


def test_fetch_never_overwrites(desk: ClearingDesk) -> None:
    desk.write("positions-2019-05-03.csv", "mine")
    ended = desk.clearing("fetch")
    assert 6 == ended.code
    assert not (desk.home / "trades-2019-05-03.csv").exists()
    assert "mine" == (desk.home / "positions-2019-05-03.csv").read_text()


def test_fetch_says_what_it_would_ask(desk: ClearingDesk) -> None:
    ended = desk.clearing("fetch", "--dry-run")
    assert "trades: CQ10 positions: CQ3" in ended.words


# -- reconcile -----------------------------------------------------------------------------------


def test_reconcile_with_the_gateway_agrees(desk: ClearingDesk) -> None:
    """Another spelling of numbers, dates, sides and accounts is no break."""
    ended = desk.clearing("reconcile", "--ours", "ours.csv", "--evidence", desk.home / "proof")
    assert (0, True) == (ended.code, "2 here, 2 there; 2 agree, 0 breaks" in ended.words)
    kinds = [one["kind"] for one in events_of(desk.home / "proof")]
    assert {"guard-asked", "records-fetched", "gate-decided", "reconciled"} <= set(kinds)


def test_the_gateway_is_held_against_its_own_business_date(desk: ClearingDesk) -> None:
    """It was asked about one date; what our file has of others is no break."""
    desk.write("ours.csv", OURS + "90;HSI K9;K;1;1;B2;02.05.2019\n")
    ended = desk.clearing("reconcile", "--ours", "ours.csv")
    assert (0, True) == (ended.code, "2 here, 2 there; 2 agree" in ended.words)


def test_reconcile_classes_every_break_and_exits_1(desk: ClearingDesk) -> None:
    wrong = OURS.replace("28.500,5", "28.500,6") + "103;HSI K9;K;1;1;B2;03.05.2019\n"
    desk.write("ours.csv", wrong)
    ended = desk.clearing("reconcile", "--ours", "ours.csv", "--json", "--out", "result.jsonl")
    assert (1, 1, 1) == (
        ended.code,
        ended.document["tally"]["kinds"]["different"],
        ended.document["tally"]["kinds"]["missing-there"],
    )
    [first, _] = ended.document["examples"]
    assert ["price"] == first["differing"]
    assert ("28500.6", "28500.5") == (first["ours"]["price"], first["theirs"]["price"])
    assert "line 2" == f"line {first['ours']['place']}"
    assert "CQ10 page 1 item 1" == first["theirs"]["place"]
    lines = (desk.home / "result.jsonl").read_text().splitlines()
    assert 4 == len(lines)
    shown = desk.clearing("reconcile", "--ours", "ours.csv", "--previous", "result.jsonl")
    assert "price 28500.6 here, 28500.5 there" in shown.words
    assert "Since the result of" in shown.words


def test_a_tolerance_is_configuration(desk: ClearingDesk) -> None:
    desk.configure('[clearing.trades]\ntolerances = { price = "0.1" }')
    desk.write("ours.csv", OURS.replace("28.500,5", "28.500,6"))
    assert 0 == desk.clearing("reconcile", "--ours", "ours.csv").code


def test_two_files_need_no_configuration(tmp_path: Path) -> None:
    """Both as `fetch` writes them; evidence only where a folder is named."""
    home = tmp_path / "home"
    home.mkdir()
    program = Program(home)
    head = "account,series,business_date,long,short\n"
    (home / "ours.csv").write_text(head + "A1,HSIK9,2019-05-03,5,0\nA1,HHIK9,2019-05-03,1,1\n")
    (home / "theirs.csv").write_text(head + "A1,HSIK9,2019-05-03,4,0\n")
    words = ("--ours", "ours.csv", "--theirs", "theirs.csv", "--kind", "positions")
    ended = program.here("clearing", "reconcile", *words)
    assert 1 == ended.code
    assert "2 here, 1 there; 0 agree, 2 breaks" in ended.words
    assert "long 5 here, 4 there" in ended.words
    assert not (home / "evidence").exists()
    one_day = program.here("clearing", "reconcile", *words, "--business-date", "2019-05-02")
    assert (0, True) == (one_day.code, "0 here, 0 there" in one_day.words)


def test_a_file_that_is_not_there_is_told_before_anybody_logs_in(desk: ClearingDesk) -> None:
    require_refused(
        desk.clearing("reconcile", "--ours", "none.csv"), 6, "ConfigError", "there is no file"
    )
    desk.write("ours.csv", OURS.replace("Price", "Preis"))
    require_refused(
        desk.clearing("reconcile", "--ours", "ours.csv"),
        *(6, "ConfigError", "line 1, column Price: is missing; did you mean 'Preis'?"),
    )
    assert not (desk.home / "evidence").exists()


def test_a_file_that_cannot_be_read_is_told_line_by_line(desk: ClearingDesk) -> None:
    """Everything at once, and no result."""
    desk.write(
        "ours.csv",
        OURS + "104;HSI K9;X;1;1;B2;03.05.2019\n105;HSI K9;K;1,5;abc;B2;2019-05-03\n106;HSI\n",
    )
    ended = desk.clearing("reconcile", "--ours", "ours.csv", "--out", "result.jsonl", "--json")
    message = ended.document["error"]["message"]
    assert 6 == ended.code
    for said in (
        "ours.csv: 5 faults",
        "line 4, column B/S: unknown side 'X'; known: K, V",
        "line 5, column Lots: '1,5' is no whole number",
        "line 5, column Price: 'abc' is no number such as 1.234,50",
        "line 5, column Date: '2019-05-03' is no date written as %d.%m.%Y",
        "line 6: has 2 cells, not as the first",
    ):
        assert said in message
    assert not (desk.home / "result.jsonl").exists()


# -- reentry -------------------------------------------------------------------------------------

PUT_IN = """\
reference,type,business_date,entered_at,entered_by,account,series,side,quantity
R1,give-up,2019-05-06,2019-05-06T11:00:00,desk,A1,HSIK9,buy,3
R2,exercise,2019-05-06,2019-05-06T12:00:00,desk,B2,HSIK9,,1
R0,give-up,2019-05-03,2019-05-03T11:00:00,desk,A1,HSIK9,buy,1
"""


def test_reentry_lists_what_was_put_in_since_the_cutover(desk: ClearingDesk) -> None:
    """Kept in the journal: the second time no record is needed."""
    desk.write("put-in.csv", PUT_IN)
    words = ("reentry", "--since", "cutover", "--at", "2019-05-07T09:00", "--json")
    ended = desk.clearing(*words, "--ours", "put-in.csv")
    found = ended.document
    assert (1, 2, 2, 2, False) == (
        ended.code,
        found["listed"],
        found["open"],
        found["unproven"],
        found["fallback_decided"],
    )
    assert ["R1", "R2"] == [one["reference"] for one in found["transactions"]]
    again = desk.clearing(*words)
    assert found["transactions"] == again.document["transactions"]


def test_ticks_wait_for_the_fallback_and_stay(desk: ClearingDesk) -> None:
    desk.write("put-in.csv", PUT_IN)
    tick = ("reentry", "--ours", "put-in.csv", "--at", "2019-05-07T15:00", "--by", "duty desk")
    require_refused(
        desk.clearing(*tick, "--done", "R1"), 2, "UsageError", "no fallback is recorded"
    )
    decide(desk)
    done = desk.clearing(*tick, "--done", "R1", "--remark", "now G77", "--json")
    states = {one["reference"]: one["state"] for one in done.document["transactions"]}
    assert {"R1": "re-entered", "R2": "open"} == states
    told = desk.program.here("fallback", "hkats-dcass-2019", "--config", desk.home / "config.toml")
    assert "2 transactions listed, 1 open: hkex-ops clearing reentry shows them" in told.words
    require_refused(
        desk.clearing(*tick, "--done", "R1"), 2, "UsageError", "R1 is re-entered already"
    )
    require_refused(desk.clearing(*tick, "--excuse", "R2"), 2, "UsageError", "say why")
    excused = desk.clearing(*tick, "--excuse", "R2", "--remark", "expired", "--out", "list.csv")
    assert "R2 exercise 1 HSIK9 B2" in excused.words
    rows = (desk.home / "list.csv").read_text().splitlines()
    assert ",re-entered,duty desk,2019-05-07T15:00:00+08:00,now G77," in rows[1]
    pack = ("evidence", "pack", "hkats-dcass-2019", "--out", "pack")
    config = ("--config", desk.home / "config.toml")
    assert 0 == desk.program.here(*pack, *config).code
    packed = json.loads((desk.home / "pack" / "data" / "reentry.json").read_text())
    assert ["re-entered", "excused"] == [one["state"] for one in packed["transactions"]]
    assert ["listed", "re-entered"] == [one["what"] for one in packed["transactions"][0]["trail"]]


def test_a_tick_that_was_taken_back_is_shown_with_who_took_it_back(desk: ClearingDesk) -> None:
    """The audit trail is for whoever reads the list, too."""
    desk.write("put-in.csv", PUT_IN)
    decide(desk)
    tick = ("reentry", "--ours", "put-in.csv", "--by", "duty desk", "--at")
    desk.clearing(*tick, "2019-05-07T15:00", "--done", "R1", "--remark", "now G77")
    back = desk.clearing(*tick, "2019-05-07T15:30", "--reopen", "R1", "--remark", "rejected")
    assert "open R1 give-up" in back.words
    assert (
        "re-entered Tue 2019-05-07 15:00, duty desk: now G77 "
        "reopened Tue 2019-05-07 15:30, duty desk: rejected"
    ) in back.words


def test_reports_in_the_archive_prove_what_was_put_in(desk: ClearingDesk) -> None:
    """Of the same business date, with a code that the configuration names for the type."""
    desk.configure('[clearing.proof]\ngive-up = ["TP001"]')
    desk.write("put-in.csv", PUT_IN)
    clock = ManualClock(datetime(2019, 5, 7, 9, tzinfo=HONG_KONG))
    with Archive.open(desk.home / "archive", clock=clock) as archive:
        placed = place(archive, "TP001.csv", b"a,b", day=date(2019, 5, 6))
        place(archive, "TP002.csv", b"a,b", day=date(2019, 5, 6))
    words = ("reentry", "--ours", "put-in.csv", "--at", "2019-05-07T09:00")
    found = desk.clearing(*words, "--json").document
    proofs = {one["reference"]: one["proofs"] for one in found["transactions"]}
    assert 1 == found["unproven"]
    assert [("TP001", placed.sha256)] == [(one["code"], one["sha256"]) for one in proofs["R1"]]
    assert "proven by TP001.csv" in desk.clearing(*words).words


def test_the_clearing_house_itself_may_tell_what_was_put_in(desk: ClearingDesk) -> None:
    ended = desk.clearing("reentry", "--ours", "live", "--at", "2019-05-07T09:00", "--json")
    assert ["R1"] == [one["reference"] for one in ended.document["transactions"]]
    [folder] = (desk.home / "evidence").iterdir()
    [gate] = [one["body"] for one in events_of(folder) if is_gate(one)]
    assert ("CQ61", True) == (gate["code"], gate["allowed"])


def test_reentry_without_any_record_says_what_to_name(desk: ClearingDesk) -> None:
    require_refused(desk.clearing("reentry"), 6, "ConfigError", "give --ours FILE")


def test_reentry_on_trial_keeps_nothing(desk: ClearingDesk) -> None:
    desk.write("put-in.csv", PUT_IN)
    words = ("reentry", "--ours", "put-in.csv", "--at", "2019-05-07T09:00", "--dry-run")
    assert "2 transactions put in" in desk.clearing(*words).words
    assert not (desk.home / "work").exists()


def decide(desk: ClearingDesk) -> None:
    """Record that HKEX decided the fallback."""
    words = ("--decide", "--reason", "told by phone", "--by", "duty desk", "--at")
    ended = desk.program.here(
        *("fallback", "hkats-dcass-2019", *words, "2019-05-07T14:00"),
        *("--config", desk.home / "config.toml"),
    )
    assert 0 == ended.code, ended


def events_of(folder: Path) -> list[dict[str, Any]]:
    """The events of an evidence folder."""
    lines = (folder / "data" / "events.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def is_gate(event: dict[str, Any]) -> bool:
    return bool(event["kind"] == "gate-decided")
